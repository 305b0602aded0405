"""Loaders of three sets, each batch fetched by one index and augmented on its device."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from torch.utils.data import Sampler

from classifiers.data.augmentations.augmentation import AnyAugmentation
from classifiers.data.augmentations.in_turn import InTurn
from classifiers.data.image_dataset import Batch, ImageDataset
from classifiers.data.image_loader import ImageLoader
from classifiers.data.on_device import OnDevice
from classifiers.data.shared_memory import Batches, fitting_workers, free_memory
from classifiers.experiment.errors import UserError
from classifiers.experiment.sampling.repeatable_data import RepeatableDataModule
from classifiers.metrics import class_indices


class LoaderDataModule(RepeatableDataModule):
    """Serves the sets that a subclass sets up; only training images are shuffled and augmented.

    Args:
        batch_size: images in a batch.
        eval_batch_size: images in a batch of evaluation, on which no result depends; None means as in training.
        shuffle: whether each epoch draws the training images in another order.
        balanced: whether an epoch draws each class equally often, so the images of rare ones several times.
        augmentations: applied in turn to each training batch, on its device; transforms of torchvision's v2 too.
        num_workers: processes that fetch batches; 0 is fastest for images in memory; None means one a core, at most
            eight, as far as shared memory allows.
        on_device: whether all images are kept in the accelerator's memory; None means if they take at most half of what
            it has free.

    Raises:
        UserError: a `batch_size` or `num_workers` too small, or more workers than shared memory allows; what is
            `balanced` in no random order.
    """

    train_set: ImageDataset
    val_set: ImageDataset
    test_set: ImageDataset
    class_names: Sequence[str]
    placed: OnDevice | None = None  # while a fit or an evaluation lasts
    shared_memory = math.inf  # bytes left

    def __init__(
        self,
        batch_size: int = 128,
        eval_batch_size: int | None = None,
        shuffle: bool = True,
        balanced: bool = False,
        augmentations: list[AnyAugmentation] | None = None,
        num_workers: int | None = 0,
        on_device: bool | None = None,
    ) -> None:
        super().__init__()
        for name, size, least in (
            ("batch_size", batch_size, 1),
            ("eval_batch_size", eval_batch_size, 1),
            ("num_workers", num_workers, 0),
        ):
            if size is not None and size < least:
                raise UserError(f"--data.{name} is {size}: it must be at least {least}")
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.shuffle, self.balanced = shuffle, balanced
        if balanced and not shuffle:
            raise UserError("--data.balanced true draws images at random: leave --data.shuffle false out")
        self.augmentations = InTurn(augmentations or ())
        self.num_workers = num_workers
        self.on_device = on_device

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def setup(self, stage: str) -> None:
        """Look at what shared memory is left before any of several processes has workers."""
        self.shared_memory = free_memory()

    def train_dataloader(self) -> ImageLoader:
        kinds = class_indices(self.train_set.labels[self.train_set.indices]) if self.balanced else None
        sampler = self.training_sampler(self.train_set, self.batch_size, self.shuffle, kinds)
        return self._dataloader(self.train_set, self.batch_size, sampler)

    def val_dataloader(self) -> ImageLoader:
        return self.dataloader(self.val_set)

    def test_dataloader(self) -> ImageLoader:
        return self.dataloader(self.test_set)

    def predict_dataloader(self) -> ImageLoader:
        return self.dataloader(self.test_set)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        if self.trainer is None or not self.trainer.training or isinstance(batch, Tensor):  # the summary's example
            return batch
        return self.augment(*batch)

    def augment(self, images: Tensor, labels: Tensor) -> Batch:
        """All augmentations in turn of uint8 images `(B, C, H, W)` and their labels."""
        return self.augmentations(images, labels, self.num_classes)

    def dataloader(self, images: ImageDataset) -> ImageLoader:
        """Serves `images` in order and in batches: all of them once, the last batch with what is left.

        Of several processes each has its share, none repeated.
        """
        return self._dataloader(images, self.eval_batch_size or self.batch_size, self.evaluation_sampler(images))

    def teardown(self, stage: str) -> None:
        self.placed = None

    def _dataloader(self, images: ImageDataset, batch_size: int, sampler: Sampler[int] | None) -> ImageLoader:
        device = torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device
        if not self.placed or self.placed.device != device:
            self.placed = OnDevice(device, self.on_device)
        workers = self._workers(images, batch_size)
        images = self.placed(images, workers)
        return ImageLoader(
            images,
            batch_size=batch_size,
            sampler=sampler,
            collate_fn=_as_is,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda" and images.indices.device.type == "cpu",
        )

    def _workers(self, images: ImageDataset, batch_size: int) -> int:
        if self.num_workers == 0:
            return 0
        served, processes = [(images, batch_size)], 1
        if self.trainer is not None:
            processes = self.trainer.num_devices
            if self.trainer.state.fn == TrainerFn.FITTING:
                served = [(self.train_set, self.batch_size), (self.val_set, self.eval_batch_size or self.batch_size)]
        batches = [Batches.of(*one) for one in served] * processes
        return fitting_workers(self.num_workers, batches, self.shared_memory)


def _as_is(batch: Any) -> Any:
    return batch
