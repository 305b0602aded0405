"""Batches, and what a fit draws at random: the same whether it was interrupted or not."""

import random
import warnings
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.overrides.distributed import UnrepeatedDistributedSampler
from torch.utils.data import DataLoader, Sampler

from classifiers.data.epoch_sampler import EpochSampler
from classifiers.data.image_dataset import Batch, ImageDataset

# Lightning advises worker processes; a batch that is one index into a tensor is faster without them.
warnings.filterwarnings("ignore", message=".*does not have many workers.*")
# It is not the DataLoader that resumes here.
warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")


class RepeatableDataModule(LightningDataModule):
    """Serves the batches of three sets, each by one index.

    It draws the order of an epoch's images from the run's seed and the epoch, and seeds torch's random numbers of each
    training step, those of augmentation and of dropout alike, from these, the batch and the process.

    A checkpoint has the seed and the place, so that a fit which goes on from it repeats what it would have drawn.
    """

    train_set: ImageDataset
    val_set: ImageDataset
    test_set: ImageDataset
    batch_size: int
    shuffle: bool
    num_workers: int

    def setup(self, stage: str) -> None:
        if stage == "fit":
            self._seed, self._resumed = torch.initial_seed(), (0, 0)

    def state_dict(self) -> dict[str, int]:
        """The seed, and the epoch and the batch within it that come next."""
        epoch, batch = self._progress()
        ended = epoch.processed == epoch.ready
        return {"seed": self._seed, "epoch": epoch.processed, "batch": 0 if ended else batch.processed}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self._seed, self._resumed = state_dict["seed"], (state_dict["epoch"], state_dict["batch"])

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        if self.trainer is not None and self.trainer.training:
            epoch, step = self._progress()
            _, rank = self._process()
            seed = random.Random(f"{self._seed} {epoch.processed} {step.ready} {rank}").getrandbits(63)
            torch.default_generator.manual_seed(seed)
            device = self.trainer.strategy.root_device
            if device.type != "cpu":
                torch.get_device_module(device).manual_seed(seed)
        return batch

    def train_dataloader(self) -> DataLoader[Batch]:
        (epoch, batch), self._resumed = self._resumed, (0, 0)
        seed = random.Random(self._seed).getrandbits(32)  # or seed 1 would have in epoch 0 what seed 0 has in epoch 1
        skip = batch * self.batch_size
        sampler = EpochSampler(self.train_set, *self._process(), self.shuffle, seed, epoch=epoch, skip=skip)
        return self._dataloader(self.train_set, sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.dataloader(self.val_set)

    def test_dataloader(self) -> DataLoader[Batch]:
        return self.dataloader(self.test_set)

    def predict_dataloader(self) -> DataLoader[Batch]:
        return self.dataloader(self.test_set)

    def dataloader(self, images: ImageDataset) -> DataLoader[Batch]:
        """Serves `images` in order and in batches: all of them once, the last batch with what is left.

        Of several processes each has its share, none repeated.
        """
        processes, rank = self._process()
        shared = UnrepeatedDistributedSampler(images, processes, rank, shuffle=False) if processes > 1 else None
        return self._dataloader(images, shared)

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

    def _progress(self) -> tuple[Any, Any]:
        """How many epochs of the fit, and batches of this epoch, are ready, started, processed and completed."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        return loop.epoch_progress.current, loop.epoch_loop.batch_progress.current

    def _process(self) -> tuple[int, int]:
        return (1, 0) if self.trainer is None else (self.trainer.world_size, self.trainer.global_rank)


def _as_is(batch: Any) -> Any:
    return batch
