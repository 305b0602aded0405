"""Which share of the data each process draws, in which order, and from where in an epoch that was interrupted."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler

from classifiers.experiment.sampling.balanced_order import balanced_order


class EpochSampler(DistributedSampler[int]):
    """An order drawn from `seed` and epoch alone, dealt out to `processes` in turn.

    Args:
        dataset: to be drawn from.
        processes: how many share it.
        rank: of this one among them.
        shuffle: whether each epoch has another order.
        seed: the same in all processes.
        epoch: the first one to be drawn; Lightning sets the others.
        skip: items that the first epoch leaves out, all processes together having had them before it was interrupted.
        kinds: of all items `(N,)`; each is drawn equally often then.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        processes: int,
        rank: int,
        shuffle: bool,
        seed: int,
        epoch: int,
        skip: int,
        kinds: Tensor | None = None,
    ) -> None:
        super().__init__(dataset, processes, rank, shuffle, seed)
        self.epoch, self.skip, self.kinds = epoch, skip, kinds

    def order(self) -> Tensor:
        """What is drawn in this epoch `(M,)`: the base class's order, as one tensor instead of a list."""
        draw = torch.Generator().manual_seed(self.seed + self.epoch)
        size = len(self.dataset)  # type: ignore[arg-type]
        if self.kinds is not None:
            order = balanced_order(self.kinds, draw)
        else:
            order = torch.randperm(size, generator=draw) if self.shuffle else torch.arange(size)
        skip, self.skip = self.skip, 0
        end = skip + -(-(size - skip) // self.num_replicas) * self.num_replicas
        return order.repeat(-(-end // size))[skip + self.rank : end : self.num_replicas]

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())
