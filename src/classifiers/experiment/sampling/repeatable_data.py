"""What a fit draws at random, from which epoch and batch on: the same whether it was interrupted or not."""

import random
import weakref
from typing import Any, NamedTuple

import torch
from lightning.pytorch import LightningDataModule, Trainer
from lightning.pytorch.overrides.distributed import UnrepeatedDistributedSampler
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from classifiers.experiment.checkpoints.describing import Described
from classifiers.experiment.sampling.epoch_sampler import EpochSampler

# where a fit goes on: epoch, batch, item, and how many of these the epoch had; version 0.1 counted no items
Place = tuple[int, int, int | None, int | None]


class Resumed(NamedTuple):
    """Where a fit went on: the epoch, and how many batches of their present size, and items, it had behind it."""

    epoch: int
    batch: int
    item: int
    ended: bool = False  # that epoch, so that the next one begins


class RepeatableDataModule(Described, LightningDataModule):
    """A base for data modules whose fits resume exactly: theirs is to give the training loader `training_sampler(…)`.

    It draws the order of an epoch from the run's seed and the epoch, and seeds torch's random numbers of each training
    step, those of augmentation and of dropout alike, from these, the batch and the process. A checkpoint has the seed
    and the place, so that a fit which goes on from it repeats what it would have drawn. (Worker processes' own random
    numbers are not among these: augment in `on_after_batch_transfer`.)
    """

    resumed: Resumed | None = None  # by the fit, if it goes on from a checkpoint
    _seed = 0
    _place: Place = (0, 0, None, None)
    _batch = _size = 0  # items in a batch of all processes together, and in an epoch
    _fitted_by: "weakref.ref[Trainer] | None" = None  # whose seed and place these are

    def state_dict(self) -> dict[str, int]:
        """The seed, and the epoch, and the batch and the item within it, that come next."""
        epoch, batch = self._progress()
        ended = epoch.processed == epoch.started
        place = 0 if ended else batch.processed
        since = self.resumed if self.resumed and self.resumed.epoch == epoch.processed else Resumed(0, 0, 0)
        item = since.item + (place - since.batch) * self._batch if place else 0
        return {"seed": self._seed, "epoch": epoch.processed, "batch": place, "item": item, "size": self._size}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        epoch, batch = state_dict["epoch"], state_dict["batch"]
        self._begin(state_dict["seed"], (epoch, batch, state_dict.get("item"), state_dict.get("size")))

    def known(self, part: str) -> Tensor | None:
        """64 bits `(N,)` that tell each item of the `part` "train", "val" or "test", which is set up, from all others;
        None if nothing does.
        """
        return None

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        if self.trainer is not None and self.trainer.training:
            self._begin_with_the_fit()
            epoch, step = self._progress()
            _, rank = self._process()
            seed = random.Random(f"{self._seed} {epoch.processed} {step.ready} {rank}").getrandbits(63)
            torch.default_generator.manual_seed(seed)
            device = self.trainer.strategy.root_device
            if device.type != "cpu":
                torch.get_device_module(device).manual_seed(seed)
        return batch

    def training_sampler(
        self, dataset: Dataset[Any], batch_size: int, shuffle: bool = True, kinds: Tensor | None = None
    ) -> EpochSampler:
        """The order of this process's share of `dataset`, from where the fit goes on, whatever its batches were; of its
        items' `kinds` `(N,)` each comes equally often.
        """
        self._begin_with_the_fit()
        done = self._progress()[0].processed if self.trainer else 0
        epoch, batch, item, before = self._place if done <= self._place[0] else (0, 0, None, None)
        processes, rank = self._process()
        size = self._size = len(dataset)  # type: ignore[arg-type]
        self._batch = batch_size * processes
        item = min(size, batch * self._batch if item is None else item)
        if before not in (None, size):
            item = 0  # of other data, the epoch begins anew
        batches = -(-size // self._batch) - -(-(size - item) // self._batch)
        self.resumed = Resumed(epoch, batches, item, ended=batch == 0)
        seed = random.Random(self._seed).getrandbits(32)  # or seed 1 would have in epoch 0 what seed 0 has in epoch 1
        return EpochSampler(dataset, processes, rank, shuffle, seed, epoch=epoch, skip=item, kinds=kinds)

    def evaluation_sampler(self, dataset: Any) -> Sampler[int] | None:
        """This process's share of `dataset`, nothing repeated; None if it is the only process."""
        processes, rank = self._process()
        return UnrepeatedDistributedSampler(dataset, processes, rank, shuffle=False) if processes > 1 else None

    def _begin_with_the_fit(self) -> None:
        if self.trainer is None or self._fitted_by is None or self._fitted_by() is not self.trainer:
            self._begin(torch.initial_seed(), (0, 0, None, None))

    def _begin(self, seed: int, place: Place) -> None:
        self._seed, self._place = seed, place
        self._fitted_by = weakref.ref(self.trainer) if self.trainer else None

    def _progress(self) -> tuple[Any, Any]:
        """How many epochs of the fit, and batches of this epoch, are ready, started, processed and completed."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        return loop.epoch_progress.current, loop.epoch_loop.batch_progress.current

    def _process(self) -> tuple[int, int]:
        return (1, 0) if self.trainer is None else (self.trainer.world_size, self.trainer.global_rank)
