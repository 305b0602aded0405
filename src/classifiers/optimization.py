"""How an optimiser and its schedule are made of what a config names."""

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn
from torch.optim import LBFGS, Optimizer, SparseAdam
from torch.optim.lr_scheduler import ReduceLROnPlateau

from classifiers.experiment.checkpoints.describing import described
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.monitors import require_mode
from classifiers.experiment.training.learning_rate import run_length
from classifiers.models.net import backbone_of
from classifiers.parameter_groups import parameter_groups, shares_of
from classifiers.schedules import OneCycle as OneCycle  # where earlier configs and checkpoints name it


class Optimized(LightningModule):
    """Makes its optimiser and schedule, at the rate `lr`, which `LearningRateFinder` sets."""

    optimizer: OptimizerCallable
    lr_scheduler: LRSchedulerCallable | None
    lr_scheduler_interval: Literal["epoch", "step"] | None
    lr_scheduler_monitor: str | None
    decay_norms_and_biases: bool
    backbone_lr_scale: float | None
    layer_lr_decay: float | None
    memory_format: torch.memory_format
    net: nn.Module

    @property
    def backbone(self) -> nn.Module:
        """All of the net but its head: what Lightning's `BackboneFinetuning` freezes."""
        return backbone_of(self.net)

    @property
    def lr(self) -> float | None:
        """None if the optimiser has its own."""
        made = getattr(self.optimizer, "func", self.optimizer)
        default = inspect.signature(made).parameters.get("lr")
        rate: float | None = getattr(self.optimizer, "keywords", {}).get("lr", default and default.default)
        return rate

    @lr.setter
    def lr(self, rate: float) -> None:
        make: Callable[..., Optimizer] = self.optimizer
        self.optimizer = partial(make, lr=rate)
        if "optimizer" in self.hparams:
            settings = self.hparams["optimizer"] or described(make)
            self.hparams["optimizer"] = {**settings, "init_args": {**settings.get("init_args", {}), "lr": rate}}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """UserError if they can't be made."""
        try:
            learned_at = self.backbone_lr_scale, self.layer_lr_decay
            shares = {} if learned_at == (None, None) else shares_of(self.backbone, *learned_at)
            groups = parameter_groups(self.parameters(), self.decay_norms_and_biases, shares, self.lr)
            optimizer = make_optimizer(self.optimizer, groups, self.memory_format)
            if self.lr_scheduler is None:
                return optimizer
            interval = self.lr_scheduler_interval or natural_interval(self.lr_scheduler)
            length = total_steps(self.lr_scheduler, partial(run_length, self.trainer, interval))
            rates = [group["lr"] for group in optimizer.param_groups]
            scheduler = self.lr_scheduler(optimizer, **length)
            if shares:
                require_shares(scheduler, rates)
        except (TypeError, ValueError) as error:
            raise UserError(f"the optimizer or its lr_scheduler can't be made: {one_line(error)}") from error
        watched: Any = {"interval": interval, "monitor": monitored(scheduler, self.lr_scheduler_monitor)}
        return {"optimizer": optimizer, "lr_scheduler": watched | {"scheduler": scheduler}}


def require_callable(optimizer: Any) -> OptimizerCallable:
    """`optimizer`, which makes an optimiser; UserError if it is one already."""
    if isinstance(optimizer, Optimizer):
        name = type(optimizer).__name__
        raise UserError(f"optimizer is an {name} made already: give the class, or partial({name}, lr=…)")
    made: OptimizerCallable = optimizer
    return made


def make_optimizer(make: OptimizerCallable, groups: list[Any], layout: torch.memory_format) -> Optimizer:
    """That of these groups; UserError if it can't make a step with the gradients of images, in that layout."""
    optimizer = make(groups)
    if isinstance(optimizer, SparseAdam):
        raise UserError("SparseAdam takes sparse gradients alone, and those of images are dense: take Adam")
    if isinstance(optimizer, LBFGS) and layout is torch.channels_last:
        raise UserError("LBFGS takes gradients that lie in one piece: give it --model.channels_last false")
    return optimizer


def natural_interval(make: LRSchedulerCallable) -> Literal["epoch", "step"]:
    """The unit that a schedule counts in: steps, if it asks for its length or for that of its cycles, else epochs."""
    return "step" if _takes(make, "total_steps") or _takes(make, "step_size_up") else "epoch"


def require_shares(scheduler: Any, rates: list[float]) -> None:
    """Raise UserError unless a schedule begins in proportion to the `rates` that the optimiser's groups had."""
    groups = scheduler.optimizer.param_groups
    scaled = [group.get("initial_lr", group["lr"]) / rate for group, rate in zip(groups, rates, strict=True)]
    if max(scaled) > min(scaled) * 1.001:
        name = type(scheduler).__name__
        cure = "take OneCycle or WarmupCosine, or leave --model.backbone_lr_scale and --model.layer_lr_decay out"
        raise UserError(f"--model.lr_scheduler {name} has one rate for all parameters: {cure}")


def monitored(scheduler: Any, monitor: str | None) -> str:
    """The metric that a schedule watches: `monitor`, or else its own, or else `val/loss`.

    Raises:
        UserError: its `mode` takes the wrong way for the better one.
    """
    found: str = monitor or getattr(scheduler, "monitor", None) or "val/loss"
    if isinstance(scheduler, ReduceLROnPlateau):
        require_mode(f"--model.lr_scheduler {type(scheduler).__name__}", found, scheduler.mode)
    return found


def total_steps(make: LRSchedulerCallable, length: Callable[[], float]) -> dict[str, Any]:
    """The run's `length()` as `total_steps`, if `make`, a class or a partial one, takes these and leaves them open.

    Raises:
        UserError: the run has no end.
    """
    given = getattr(make, "keywords", {})
    if any(given.get(name) is not None for name in ("total_steps", "epochs")) or not _takes(make, "total_steps"):
        return {}
    if (steps := length()) == math.inf:
        raise UserError("the learning-rate schedule ends with the run, which has no end: give one --trainer.max_epochs")
    return {"total_steps": steps}


def _takes(make: LRSchedulerCallable, name: str) -> bool:
    """Whether the class or the function that `make` is, or is a partial one of, has an argument of that name."""
    made = (make, getattr(make, "func", None), *getattr(make, "args", ()))
    kinds = [kind for kind in made if isinstance(kind, type) or inspect.isfunction(kind)]
    return any(name in inspect.signature(kind).parameters for kind in kinds)
