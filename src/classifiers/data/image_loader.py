"""Where batches of images come from: one index a batch, in the order of one tensor an epoch."""

from collections.abc import Iterator

import torch
from torch.utils.data import BatchSampler, DataLoader

from classifiers.data.image_dataset import Batch, ImageDataset
from classifiers.experiment.sampling.epoch_sampler import EpochSampler


class ImageLoader(DataLoader[Batch]):
    """A DataLoader of an ImageDataset, which it asks for a batch by a tensor instead of a list of numbers."""

    dataset: ImageDataset

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        if self.num_workers or self.batch_size is None or type(self.batch_sampler) is not BatchSampler:
            return super().__iter__()
        sampler = self.sampler
        order = sampler.order() if isinstance(sampler, EpochSampler) else torch.tensor([*sampler], dtype=torch.long)
        batches = self.dataset.batches(order, self.batch_size)
        if not self.pin_memory:
            return batches
        return ((images.pin_memory(), labels.pin_memory()) for images, labels in batches)
