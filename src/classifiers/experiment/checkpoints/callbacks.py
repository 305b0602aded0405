"""The two checkpoints of a run: the best validated state, and the truly last one."""

import math
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, TypeVar

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from classifiers.experiment.checkpoints.writing import AtomicCheckpointIO
from classifiers.experiment.errors import UserError
from classifiers.experiment.monitors import natural_mode, require_mode
from classifiers.experiment.terminal import say

Kept = TypeVar("Kept", bound="RunCheckpoint")


class RunCheckpoint(Checkpoint):
    """One file of a run folder. `RunFolder` says where; a run that leaves no folder leaves none of these."""

    name: str
    path: Path | None = None
    _told = False

    def save(self, trainer: Trainer) -> None:
        """Write the checkpoint while the fit goes on, and before it what the loggers still hold of earlier steps."""
        if self.path is not None:
            for logger in trainer.loggers:
                logger.save()
            io = trainer.strategy.checkpoint_io
            with io.in_background() if isinstance(io, AtomicCheckpointIO) else nullcontext():
                trainer.save_checkpoint(self.path, weights_only=False)  # of all, not of the weights alone
        elif not (self._told or trainer.fast_dev_run):  # type: ignore[attr-defined]
            self._told = True
            say(f"no {self.name}.ckpt is written: this Trainer has no run folder, as fit(model, data) makes one")

    def finish(self, trainer: Trainer) -> None:
        """Save, and wait until all checkpoints are on the disk, for all processes."""
        self.save(trainer)
        io = trainer.strategy.checkpoint_io
        if isinstance(io, AtomicCheckpointIO):
            io.wait()
        trainer.strategy.barrier()


class BestCheckpoint(RunCheckpoint):
    """Rewrites `best.ckpt` whenever `monitor` improves.

    Args:
        monitor: the metric that decides.
        mode: whether less or more of it is better; None means less of a loss, more of anything else.

    Raises:
        UserError: the first validation has no such metric, or `mode` is the wrong way.
    """

    name = "best"

    def __init__(self, monitor: str = "val/acc", mode: Literal["min", "max"] | None = None) -> None:
        self.monitor = monitor
        self.mode = mode or natural_mode(monitor) or "max"
        require_mode("--best_checkpoint", monitor, self.mode)
        self.best_model_score: float | None = None
        self.best_model_path = ""  # for Lightning's `ckpt_path="best"`

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        score = trainer.callback_metrics.get(self.monitor)
        if score is None:
            known = " and ".join(sorted(name for name in trainer.callback_metrics if name.startswith("val")))
            raise UserError(f"--best_checkpoint.monitor {self.monitor} is no metric of a validation: these are {known}")
        if trainer.state.fn == "fit" and not trainer.sanity_checking and self._improves(score):
            self.best_model_score = score.item()
            self.best_model_path = str(self.path or "")
            self.save(trainer)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Bring along the best checkpoint that stands beside the one that the fit goes on from, if it does."""
        if self.best_model_score is None or self.path is None:
            return
        beside = Path(str(trainer.ckpt_path)).with_name(self.path.name)
        if self.path.exists() or beside.exists():
            self.best_model_path = str(self.path)
        else:
            self.best_model_score = None
        trainer.strategy.barrier()
        if trainer.is_global_zero and beside.exists() and not self.path.exists():
            self.path.parent.mkdir(exist_ok=True)
            shutil.copy(beside, self.path)

    def state_dict(self) -> dict[str, Any]:
        return {"monitor": self.monitor, "score": self.best_model_score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict.get("monitor") == self.monitor:
            self.best_model_score = state_dict["score"]

    def _improves(self, score: Tensor) -> bool:
        sign = 1 if self.mode == "max" else -1
        best = -math.inf if self.best_model_score is None else sign * self.best_model_score
        return sign * score.item() > best


class LastCheckpoint(RunCheckpoint):
    """Rewrites `last.ckpt` after every epoch, whether validation improved or not, and every so many steps.

    It is written when the next epoch or step begins: then all of the steps before, their logs, validation and schedules
    too, is done. `StopOnSignal`, the first of all callbacks, says when, so that no other has begun it.

    Args:
        every_n_steps: optimiser steps from one to the next within an epoch; None leaves it at the epochs' ends.
    """

    name = "last"

    def __init__(self, every_n_steps: int | None = None) -> None:
        self.every_n_steps = every_n_steps
        self.saved_step = 0

    def step_begins(self, trainer: Trainer, batch: int = 0) -> None:
        """Save if it is time; `batch` is its number in the epoch."""
        due = batch == 0 or (self.every_n_steps and trainer.global_step % self.every_n_steps == 0)
        if due and trainer.global_step != self.saved_step:
            self.save(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.finish(trainer)

    def save(self, trainer: Trainer) -> None:
        super().save(trainer)
        self.saved_step = trainer.global_step

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.saved_step = checkpoint["global_step"]


def checkpoints_of(trainer: Trainer, kind: type[Kept]) -> list[Kept]:
    """Those of its callbacks that are of that `kind`: one, or none if it is to leave no checkpoints."""
    return [callback for callback in trainer.checkpoint_callbacks if isinstance(callback, kind)]
