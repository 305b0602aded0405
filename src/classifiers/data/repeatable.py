"""What a fit draws at random: the same whether it was interrupted or not."""

import random
import warnings
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.overrides.distributed import UnrepeatedDistributedSampler
from torch.utils.data import Sampler

from classifiers.data.epoch_sampler import EpochSampler
from classifiers.data.image_dataset import Batch, ImageDataset

# It is not the DataLoader that resumes here.
warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")


class RepeatableDataModule(LightningDataModule):
    """Draws the order of an epoch's images from the run's seed and the epoch, and seeds torch's random numbers of each
    training step, those of augmentation and of dropout alike, from these, the batch and the process.

    A checkpoint has the seed and the place, so that a fit which goes on from it repeats what it would have drawn.
    """

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

    def training_sampler(self, images: ImageDataset, batch_size: int, shuffle: bool) -> EpochSampler:
        """The order of this process's share of the training images, from where the fit goes on."""
        (epoch, batch), self._resumed = self._resumed, (0, 0)
        seed = random.Random(self._seed).getrandbits(32)  # or seed 1 would have in epoch 0 what seed 0 has in epoch 1
        return EpochSampler(images, *self._process(), shuffle, seed, epoch=epoch, skip=batch * batch_size)

    def evaluation_sampler(self, images: ImageDataset) -> Sampler[int] | None:
        """This process's share of the images, none repeated; None if it is the only one."""
        processes, rank = self._process()
        return UnrepeatedDistributedSampler(images, processes, rank, shuffle=False) if processes > 1 else None

    def _progress(self) -> tuple[Any, Any]:
        """How many epochs of the fit, and batches of this epoch, are ready, started, processed and completed."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        return loop.epoch_progress.current, loop.epoch_loop.batch_progress.current

    def _process(self) -> tuple[int, int]:
        return (1, 0) if self.trainer is None else (self.trainer.world_size, self.trainer.global_rank)
