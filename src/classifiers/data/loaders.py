"""Loaders of three sets, each batch fetched by one index and augmented on its device."""

from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from classifiers.data.augmentations import Augmentation
from classifiers.data.image_dataset import Batch, ImageDataset
from classifiers.experiment.sampling.repeatable_data import RepeatableDataModule


class LoaderDataModule(RepeatableDataModule):
    """Serves the sets that a subclass sets up; only training images are shuffled and augmented."""

    train_set: ImageDataset
    val_set: ImageDataset
    test_set: ImageDataset
    batch_size: int
    shuffle: bool
    augmentations: list[Augmentation]
    num_workers: int

    def train_dataloader(self) -> DataLoader[Batch]:
        sampler = self.training_sampler(self.train_set, self.batch_size, self.shuffle)
        return self._dataloader(self.train_set, sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.dataloader(self.val_set)

    def test_dataloader(self) -> DataLoader[Batch]:
        return self.dataloader(self.test_set)

    def predict_dataloader(self) -> DataLoader[Batch]:
        return self.dataloader(self.test_set)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        if self.trainer is None or not self.trainer.training or isinstance(batch, Tensor):  # the summary's example
            return batch
        images, labels = batch
        return self.augment(images), labels

    def augment(self, images: Tensor) -> Tensor:
        """All augmentations in turn of uint8 images `(B, C, H, W)`."""
        for augmentation in self.augmentations:
            images = augmentation(images)
        return images

    def dataloader(self, images: ImageDataset) -> DataLoader[Batch]:
        """Serves `images` in order and in batches: all of them once, the last batch with what is left.

        Of several processes each has its share, none repeated.
        """
        return self._dataloader(images, self.evaluation_sampler(images))

    def _dataloader(self, images: ImageDataset, sampler: Sampler[int] | None) -> DataLoader[Batch]:
        return DataLoader(
            images,
            batch_size=self.batch_size,
            sampler=sampler,
            collate_fn=_as_is,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
        )


def _as_is(batch: Any) -> Any:
    return batch
