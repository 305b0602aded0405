"""Which share of the data each process draws, in which order, and from where in an epoch that was interrupted."""

import itertools
from collections.abc import Iterator
from typing import Any

from torch.utils.data import Dataset, DistributedSampler


class EpochSampler(DistributedSampler[int]):
    """An order drawn from `seed` and epoch alone, dealt out to `processes` in turn.

    Args:
        dataset: to be drawn from.
        processes: how many share it.
        rank: of this one among them.
        shuffle: whether each epoch has another order.
        seed: the same in all processes.
        epoch: the first one to be drawn; Lightning sets the others.
        skip: items of this process's share that the first epoch leaves out, having had them before it was interrupted.
    """

    def __init__(
        self, dataset: Dataset[Any], processes: int, rank: int, shuffle: bool, seed: int, epoch: int, skip: int
    ) -> None:
        super().__init__(dataset, processes, rank, shuffle, seed)
        self.epoch = epoch
        self.skip = skip

    def __iter__(self) -> Iterator[int]:
        skip, self.skip = self.skip, 0
        return itertools.islice(super().__iter__(), skip, None)
