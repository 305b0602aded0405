"""A fit that goes on with batches of another size, or in another number of processes."""

import math
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.experiment.sampling.repeatable_data import RepeatableDataModule
from classifiers.experiment.terminal import say


class OtherBatches(Callback):
    """Counts a fit's progress in items: it goes on behind the last one it had, and its schedule as far along."""

    def __init__(self) -> None:
        self._then: int | None = None  # steps in an epoch before the fit goes on
        self._schedules: list[dict[str, Any]] = []

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["steps_an_epoch"] = steps_an_epoch(trainer)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._then = checkpoint.get("steps_an_epoch")
        self._schedules = checkpoint.get("lr_schedulers", [])

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stretch the schedules before they are restored."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        by_steps = trainer.estimated_stepping_batches in (math.inf, trainer.max_steps)  # asked, it makes loaders
        if not (self._then and isinstance(data, RepeatableDataModule) and data.resumed) or by_steps:
            return
        now = steps_an_epoch(trainer)
        if not now or now == self._then:
            return
        place = f"{data.resumed.item:,} images of epoch {data.resumed.epoch + 1}"
        say(f"an epoch has {now} steps now, and had {self._then}: it goes on behind {place}")
        step = data.resumed.epoch * now + data.resumed.batch // trainer.accumulate_grad_batches
        for config, saved in zip(trainer.lr_scheduler_configs, self._schedules, strict=False):
            if config.interval == "step" and saved.get("total_steps"):
                saved.update(stretched(saved, now / self._then, step))
            elif config.interval == "step":
                say(f"{type(config.scheduler).__name__} counts steps, and goes on by their number")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the loop count the batches that the epoch has left from where it goes on."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        if not (self._then and isinstance(data, RepeatableDataModule) and data.resumed):
            return
        loop: Any = trainer.fit_loop.epoch_loop.batch_progress.current
        ended = data.resumed.ended and loop.processed > 0
        batches = trainer.num_training_batches if ended else data.resumed.batch
        if batches != loop.processed and trainer.limit_train_batches == 1.0:
            loop.ready = loop.started = loop.processed = loop.completed = int(batches)


def steps_an_epoch(trainer: Trainer) -> int | None:
    """Optimiser steps in an epoch of the fit, None if it has no end."""
    batches = trainer.num_training_batches
    return None if batches == math.inf else -(-int(batches) // trainer.accumulate_grad_batches)


def stretched(schedule: dict[str, Any], share: float, step: int) -> dict[str, Any]:
    """The state of a schedule that is `share` times as long and has made `step` steps."""
    total = round(schedule["total_steps"] * share)
    changed = {**schedule, "total_steps": total, "last_epoch": step, "_step_count": step + 1}
    if phases := schedule.get("_schedule_phases"):  # of torch's OneCycleLR
        share = total / schedule["total_steps"]
        changed["_schedule_phases"] = [{**phase, "end_step": (phase["end_step"] + 1) * share - 1} for phase in phases]
    return changed
