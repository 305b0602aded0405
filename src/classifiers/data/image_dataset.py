"""Images and their labels, fetched a batch at a time by one index."""

from typing import Protocol

from torch import Tensor
from torch.utils.data import Dataset

Batch = tuple[Tensor, Tensor]  # uint8 images (B, C, H, W); labels (B,), or one-hot or soft rows (B, K)


class Images(Protocol):
    """What images are kept in: a uint8 tensor `(N, C, H, W)`, or whatever gives those at indices `(B,)` like one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Tensor, /) -> Tensor: ...


def class_indices(targets: Tensor) -> Tensor:
    """The classes `(B,)` of labels `(B,)`, or of one-hot or soft rows `(B, K)`."""
    return targets.argmax(1) if targets.ndim == 2 else targets


class ImageDataset(Dataset[Batch]):
    """The images `(N, C, H, W)` and labels `(N,)` at `indices` `(M,)`; a batch of them is fetched by one index."""

    def __init__(self, images: Images, labels: Tensor, indices: Tensor) -> None:
        self.images, self.labels, self.indices = images, labels, indices

    def first(self, count: int) -> Batch:
        """The first `count` images and labels, or all if there are fewer."""
        return self.__getitems__(list(range(min(count, len(self)))))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Batch:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, batch: list[int]) -> Batch:
        indices = self.indices[batch]
        return self.images[indices], self.labels[indices]
