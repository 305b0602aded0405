"""Which images a process sees, in which order: the same in a fit that was interrupted as in one that was not."""

import itertools
from collections.abc import Iterator

from torch.utils.data import DistributedSampler

from classifiers.data.image_dataset import ImageDataset


class EpochSampler(DistributedSampler[int]):
    """An order drawn from `seed` and epoch alone, dealt out to `processes` in turn.

    Args:
        images: to be drawn from.
        processes: how many share the images.
        rank: of this one among them.
        shuffle: whether each epoch has another order.
        seed: the same in all processes.
        epoch: the first one to be drawn; Lightning sets the others.
        skip: images of this process's share that the first epoch leaves out, having had them before it was interrupted.
    """

    def __init__(
        self, images: ImageDataset, processes: int, rank: int, shuffle: bool, seed: int, epoch: int, skip: int
    ) -> None:
        super().__init__(images, processes, rank, shuffle, seed)
        self.epoch = epoch
        self.skip = skip

    def __iter__(self) -> Iterator[int]:
        skip, self.skip = self.skip, 0
        return itertools.islice(super().__iter__(), skip, None)
