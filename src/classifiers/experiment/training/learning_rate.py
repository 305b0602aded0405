"""Where the learning rate is logged, and what a schedule's length must be."""

import math
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import GradientAccumulationScheduler, StochasticWeightAveraging

from classifiers.experiment.errors import UserError
from classifiers.experiment.training.log_steps import LogSteps


class LearningRate(Callback):
    """Logs `lr`, the first optimiser's rate in a step, every `log_every_n_steps`.

    Raises:
        UserError: a schedule would end before the run, be it a new one or that of a run which goes on.
    """

    rate = 0.0

    def __init__(self) -> None:
        self._resumed: list[dict[str, Any]] = []
        self._log_steps = LogSteps()

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._resumed = checkpoint.get("lr_schedulers", [])

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if any(isinstance(callback, StochasticWeightAveraging) for callback in trainer.callbacks):  # type: ignore[attr-defined]
            return  # it takes the schedule's place before the end, and adds an epoch
        for index, config in enumerate(trainer.lr_scheduler_configs):
            for schedule in (vars(config.scheduler), *self._resumed[index : index + 1]):
                require_length(schedule.get("total_steps"), run_length(trainer, config.interval), config.interval)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log_steps.begin(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self.rate = trainer.optimizers[0].param_groups[0]["lr"] if trainer.optimizers else 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._log_steps.now(trainer):
            pl_module.log("lr", self.rate)  # of this step: the schedule has advanced


def run_length(trainer: Trainer, interval: str) -> float:
    """The run's length in units of the schedule's interval, "step" or "epoch": an int, or infinite."""
    epochs = math.inf if trainer.max_epochs is None or trainer.max_epochs < 0 else trainer.max_epochs
    if interval == "epoch":
        return epochs
    steps = trainer.estimated_stepping_batches
    for callback in trainer.callbacks if steps < math.inf else ():  # type: ignore[attr-defined]
        if isinstance(callback, GradientAccumulationScheduler) and epochs < math.inf:
            accumulated = [callback.get_accumulate_grad_batches(epoch) for epoch in range(int(epochs))]
            steps = sum(math.ceil(trainer.num_training_batches / batches) for batches in accumulated)
            steps = steps if trainer.max_steps < 0 else min(steps, trainer.max_steps)
    return max(1, steps)  # of a fit of no step, a schedule has one


def require_length(total_steps: int | None, length: float, interval: str) -> None:
    """Raise UserError if a schedule of `total_steps` would end before a run of `length`, both in `interval`s."""
    if total_steps is not None and total_steps < length < math.inf:
        end = f"ends after {total_steps} {interval}s, the run after {length:.0f}"
        raise UserError(f"the learning-rate schedule {end}: train less, or start anew with a longer schedule")
