"""The base of all data modules: uint8 images and a seeded split."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from classifiers.data.folds import Folds
from classifiers.data.image_dataset import ImageDataset, Images, checked, identities
from classifiers.data.resizing import Resize
from classifiers.data.shown import ShownDataModule
from classifiers.data.splitting import held_out
from classifiers.experiment.errors import UserError
from classifiers.experiment.paths import at_home, project_root
from classifiers.metrics import class_indices


class ImageDataModule(ShownDataModule, ABC):
    """Serves uint8 images `(B, C, H, W)` and labels `(B,)`; a subclass declares what they are and loads them.

    The validation images are held out of the official training split by `split_seed` alone, so that every run, process
    and stage sees the same ones. Only training batches are shuffled and augmented.

    Args:
        root: the folder of all data sets; None means `data/` in the project.
        batch_size: images in a batch.
        val_size: images held out of the training split for validation: their share below 1, else their number.
        split_seed: which ones; independent of the run's seed.
        validate_on_test: train on the whole training split and validate on the official test images instead, so that
            test images choose the best checkpoint. Only to repeat published figures that were got that way.
        folds: into how many all images but those of the test are divided, with an equal share of each class, to
            validate on one of them in place of `val_size`; None means into none.
        fold: the number of that one, from 0.
        one_hot: whether labels are served as one-hot rows `(B, K)`.
        mean: of each channel, subtracted from the images in [0, 1]; None means that of the training images.
        std: of each channel, by which they are divided then; None means that of the training images.
        kwargs: options of all loaders.

    Raises:
        UserError: not one `mean` and one positive `std` for each channel; no such fold.
    """

    in_channels: int
    image_size: int  # height and width in pixels
    mean: Sequence[float]
    std: Sequence[float]
    resize: Resize = "squash"  # how a picture becomes such an image

    def __init__(
        self,
        root: str | Path | None = None,
        batch_size: int = 128,
        val_size: int | float = 0.1,
        split_seed: int = 0,
        validate_on_test: bool = False,
        folds: int | None = None,
        fold: int = 0,
        one_hot: bool = False,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size, **kwargs)
        self.root = at_home(root) if root else project_root() / "data"
        self.val_size, self.split_seed = val_size, split_seed
        self.validate_on_test, self.one_hot = validate_on_test, one_hot
        self.folds = Folds.of(folds, fold, validate_on_test)
        self.mean, self.std = mean or self.mean, std or self.std
        if not len(self.mean) == len(self.std) == self.in_channels or min(self.std) <= 0:
            values = f"--data.mean is {list(self.mean)} and --data.std {list(self.std)}"
            raise UserError(f"{values}: they need {self.in_channels} values each, std positive ones")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        return self.in_channels, self.image_size, self.image_size

    @abstractmethod
    def load(self, train: bool) -> tuple[Images, Tensor]:
        """The whole official training or test split: images `(N, C, H, W)` that `as_uint8` takes, and labels `(N,)`."""

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            self.augmentations.try_on(self.image_shape)
        if stage in ("fit", "validate") and not hasattr(self, "train_set"):
            images, labels = self._load(train=True)
            if self.folds:
                known = self.identities(images, train=True)
                train, val = self.folds.split(class_indices(labels), known, self.split_seed)
            else:
                train, val = self.split(len(images))
            self.train_set, self.val_set = self._set(images, labels, train), self._set(images, labels, val)
        if (stage in ("test", "predict") or self.validate_on_test) and not hasattr(self, "test_set"):
            images, labels = self._load(train=False)
            self.test_set = self._set(images, labels, torch.arange(len(images)))
        if self.validate_on_test:
            self.val_set = self.test_set

    def identities(self, images: Images, train: bool) -> Tensor:
        """What each of the `images` that `load` gave is known by `(N,)`, wherever it lies."""
        return identities(images)

    def known(self, part: str) -> Tensor:
        images = getattr(self, f"{part}_set")
        return self.identities(images.images, images is not getattr(self, "test_set", None))[images.indices]

    def _load(self, train: bool) -> tuple[Images, Tensor]:
        return self.checked(*self.load(train), "load")

    def _set(self, images: Images, labels: Tensor, indices: Tensor) -> ImageDataset:
        rows = self.one_hot and labels.ndim == 1
        return ImageDataset(images, labels, indices, self.num_classes if rows else None)

    def checked(self, images: Images, labels: Tensor, source: str) -> tuple[Images, Tensor]:
        """As the function of that name, by what this declares; `source` is what of it gives them."""
        return checked(images, labels, self.image_shape, self.num_classes, f"{type(self).__name__}'s {source}")

    def split(self, size: int) -> tuple[Tensor, Tensor]:
        """Sorted, disjoint indices of the training and validation images among `size`.

        Raises:
            UserError: the split leaves no image to train or to validate on.
        """
        if self.validate_on_test:
            return torch.arange(size), torch.arange(0)
        val_size = held_out("val_size", self.val_size, size)
        order = torch.randperm(size, generator=torch.Generator().manual_seed(self.split_seed))
        return order[val_size:].sort().values, order[:val_size].sort().values
