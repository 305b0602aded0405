"""The threads of a process that computes on a CPU."""

import os
import time
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.experiment.errors import UserError
from classifiers.experiment.terminal import say

SECONDS = 5.0  # from one look to the next
SHARE = 0.6  # of its threads' time that a process gets where nobody else wants the cores: nearly all


def use_threads(count: int | None) -> None:
    """Let torch compute in `count` threads, or in as many as it likes; UserError if that is none."""
    if count is not None:
        if count < 1:
            raise UserError(f"--threads is {count}: it must be at least 1")
        torch.set_num_threads(count)


class Threads(Callback):
    """Says it once if the threads of a step wait for each other, as they do on cores that others use too.

    Args:
        count: as for `use_threads`; where Lightning starts several processes, it sets another number itself.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = count

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        use_threads(self.count)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._alone = trainer.strategy.root_device.type != "cpu" or torch.get_num_threads() == 1
        self._look()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        seconds = time.monotonic() - self._seen
        if self._alone or seconds < SECONDS:
            return
        share = (time.process_time() - self._used) / (seconds * torch.get_num_threads())
        load, cores = _load(), os.cpu_count() or 1
        if share < SHARE and load > cores:
            self._alone = True
            busy = f"the machine is busy (load {load:.1f} on {cores} cores)"
            say(f"{busy}: the {torch.get_num_threads()} threads of a step wait for each other; --threads 1 doesn't")
        self._look()

    def _look(self) -> None:
        self._seen, self._used = time.monotonic(), time.process_time()


def _load() -> float:
    """How many threads of the machine want a core, in the last minute; 0 where the system doesn't tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
