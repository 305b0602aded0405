"""Images and their labels, fetched a batch at a time by one index."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from classifiers.data.identity import of_pixels
from classifiers.data.pixels import as_uint8
from classifiers.experiment.errors import UserError

# what a data module tells the model, under these names,
TO_MODEL = ("class_names", "mean", "std", "image_shape", "resize")
TO_NET = ("in_channels", "image_size", "num_classes")  # and its net
Batch = tuple[Tensor, Tensor]  # uint8 images (B, C, H, W); labels (B,), or one-hot or soft rows (B, K)


class Images(Protocol):
    """What images are kept in: a uint8 tensor `(N, C, H, W)`, or whatever gives those at indices `(B,)` like one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Tensor, /) -> Tensor: ...


def first_image(images: Images) -> Tensor:
    """The first one, `(1, C, H, W)`, of any type: torch 2.9 doesn't index all."""
    return images[:1] if isinstance(images, Tensor) else images[torch.arange(1)]


def checked(images: Images, labels: Tensor, shape: Sequence[int], classes: int, source: str) -> tuple[Images, Tensor]:
    """The images of `shape` `(C, H, W)` as uint8, and as int64 their `labels` `(N,)`, each of one of the `classes`; or
    the labels as they are, if they are rows `(N, K)` already.

    Raises:
        UserError: it names the `source` of what is otherwise. Images in no tensor are judged by the first one.
    """
    labels = torch.as_tensor(labels)
    rows = labels.shape == (len(images), classes)
    if not len(images) or not (rows or labels.shape == (len(images),)):
        found = f"{len(images)} images and labels {tuple(labels.shape)}"
        raise UserError(f"{source} gives {found}: there must be some, and one label (N,) for each image")
    first, tensor = first_image(images), isinstance(images, Tensor)
    if first.shape[1:] != tuple(shape) or not (tensor or first.dtype == torch.uint8):
        found = f"{type(images).__name__} with {first.dtype} of {tuple(first.shape[1:])} for images"
        raise UserError(f"{source} gives {found}: it must be a uint8 Tensor of {tuple(shape)}, (C, H, W)")
    values, indices = labels.double(), labels.long()
    if rows and not (values.isfinite().all() and values.min() >= 0 and values.max() <= 1):
        raise UserError(f"{source} gives rows of labels that aren't shares from 0 to 1")
    if not rows and ((indices != values).any() or not 0 <= indices.min() <= indices.max() < classes):
        found = f"labels from {values.min():g} to {values.max():g}"
        raise UserError(f"{source} gives {found}: they must be whole numbers from 0 to {classes - 1}, by class_names")
    return as_uint8(images, source) if isinstance(images, Tensor) else images, labels if rows else indices


def identities(images: Images) -> Tensor:
    """What each of the images is known by `(N,)`: their pixels, or what they say themselves, else their place."""
    if isinstance(images, Tensor):
        return of_pixels(images)
    known: Tensor = getattr(images, "identities", torch.arange(len(images)))
    return known


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Rows `(B, K)` of booleans; torch's function of that name would read the labels' range from the device."""
    return labels[:, None] == torch.arange(classes, device=labels.device)


class ImageDataset(Dataset[Batch]):
    """The images `(N, C, H, W)` and labels `(N,)` at `indices` `(M,)`; a batch of them is fetched by one index.

    Its labels become one-hot rows `(B, K)` where `classes` says how many there are.
    """

    def __init__(self, images: Images, labels: Tensor, indices: Tensor, classes: int | None = None) -> None:
        self.images, self.labels, self.indices, self.classes = images, labels, indices, classes

    def first(self, count: int) -> Batch:
        """The first `count` images and labels, or all if there are fewer."""
        return self.__getitems__(list(range(min(count, len(self)))))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Batch:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, batch: list[int]) -> Batch:
        return self._at(self.indices[batch])

    def batches(self, order: Tensor, size: int) -> Iterator[Batch]:
        """The images in that `order` `(M,)`, `size` at a time."""
        for indices in torch.split(self.indices[order.to(self.indices.device)], size):
            yield self._at(indices)

    def _at(self, indices: Tensor) -> Batch:
        labels = self.labels[indices]
        return self.images[indices], one_hot(labels, self.classes).long() if self.classes else labels
