"""A diverged fit stops and leaves its last good checkpoint."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from classifiers.experiment.errors import UserError
from classifiers.experiment.training.log_steps import LogSteps


class FiniteLoss(Callback):
    """Stops a fit whose training loss is infinite or no number, before any checkpoint of it: a UserError with the step.

    The losses are looked at in one go every `log_every_n_steps`: looking at each would make a GPU wait.
    """

    def __init__(self) -> None:
        self._losses: list[tuple[int, Tensor]] = []
        self._step = 0
        self._log_steps = LogSteps()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log_steps.begin(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._losses.append((self._step, outputs["loss"] if isinstance(outputs, Mapping) else outputs))
        if self._log_steps.now(trainer):
            self._check()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._check()

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._check()

    def _check(self) -> None:
        if self._losses and not torch.stack([loss for _, loss in self._losses]).isfinite().all():
            step, loss = next((step, loss) for step, loss in self._losses if not loss.isfinite())
            cure = "lower the learning rate; any checkpoint is from before"
            raise UserError(f"the loss at step {step} is {loss.item()}: {cure}")
        self._losses = []
