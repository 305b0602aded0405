"""Lightning's progress bar at the price of a clock reading a step."""

import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar


class ProgressBar(RichProgressBar):
    """Moves `refresh_rate` times a second, however short the steps are; Lightning's own works in every step."""

    def __init__(self, refresh_rate: int = 5) -> None:
        super().__init__(refresh_rate)
        self._next = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._due(batch_idx + 1 == self.total_train_batches):
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_validation_batch_end(self, *args: Any, **kwargs: Any) -> None:
        if self._due():
            super().on_validation_batch_end(*args, **kwargs)

    def _due(self, last: bool = False) -> bool:
        now = time.monotonic()
        if not last and now < self._next:
            return False
        self._next = now + 1 / self.refresh_rate
        return True
