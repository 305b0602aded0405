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
        plain = type(self.batch_sampler) is BatchSampler and not self.num_workers
        return self._batches() if plain else super().__iter__()

    def _batches(self) -> Iterator[Batch]:
        """The order is drawn with the first batch: an epoch may be set until then."""
        sampler, size = self.sampler, self.batch_size or 1
        order = sampler.order() if isinstance(sampler, EpochSampler) else torch.tensor([*sampler], dtype=torch.long)
        for images, labels in self.dataset.batches(order, size):
            yield (images.pin_memory(), labels.pin_memory()) if self.pin_memory else (images, labels)
