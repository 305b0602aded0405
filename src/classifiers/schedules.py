"""Learning-rate schedules of the house, beside torch's."""

import math
import re
from collections.abc import Sequence
from typing import Any

from lightning.pytorch.cli import LRSchedulerCallable
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, OneCycleLR, SequentialLR


class OneCycle(OneCycleLR):
    """Takes the optimiser's `lr` from a 25th up to what it is and down to nearly nothing, in straight lines.

    After Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates" (2017).
    Unlike the base class, it has no rate beside the optimiser's, and leaves the momentum as it is.

    Args:
        optimizer: whose rate it is.
        total_steps: its length, in units of the schedule's interval; None means that of the run.
        pct_start: the share of it in which the rate rises.
    """

    def __init__(self, optimizer: Optimizer, total_steps: int | None = None, pct_start: float = 0.2) -> None:
        if total_steps and pct_start * total_steps == 1:
            pct_start *= 1 - 1e-9  # or its first phase has no length, by which torch divides
        rates = [group["lr"] for group in optimizer.param_groups]
        straight: dict[str, Any] = {"anneal_strategy": "linear", "cycle_momentum": False}
        super().__init__(optimizer, rates, total_steps, pct_start=pct_start, **straight)

    def get_lr(self) -> Any:
        """Of groups that were added since, as by `BackboneFinetuning`, the rate is that of whoever added them."""
        for group in self.optimizer.param_groups[len(self.base_lrs) :]:
            group.update(dict.fromkeys(("initial_lr", "max_lr", "min_lr"), group["lr"]))
        return super().get_lr()


class WarmupCosine(LRScheduler):
    """Takes the optimiser's `lr` in a straight line up to what it is, and down to nothing along half a cosine.

    After Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2016), and Goyal et al.,
    "Accurate, large minibatch SGD" (2017), section 2.2.

    Args:
        optimizer: whose rate it is.
        total_steps: its length, in units of the schedule's interval; None means that of the run.
        pct_start: the share of it in which the rate rises.

    Raises:
        ValueError: no length, or a share outside of [0, 1).
    """

    def __init__(self, optimizer: Optimizer, total_steps: int | None = None, pct_start: float = 0.05) -> None:
        if not total_steps or total_steps < 0 or not 0 <= pct_start < 1:
            raise ValueError(f"total_steps is {total_steps} and pct_start {pct_start}: more than 0, and in [0, 1)")
        self.total_steps, self.pct_start = total_steps, pct_start
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        rise = round(self.pct_start * self.total_steps)
        if self.last_epoch < rise:
            share = (self.last_epoch + 1) / (rise + 1)
        else:
            fallen = min(1.0, (self.last_epoch - rise) / (self.total_steps - rise))
            share = (1 + math.cos(math.pi * fallen)) / 2
        return [rate * share for rate in self.base_lrs]


class InTurn(SequentialLR):
    """torch's `SequentialLR`, which takes schedules that are made already, of what makes them, as a config can name it.

    Args:
        optimizer: whose rate it is.
        schedulers: each makes a schedule from the optimiser.
        milestones: when the second one and those after it begin, in units of the schedule's interval.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRSchedulerCallable], milestones: Sequence[int]
    ) -> None:
        super().__init__(optimizer, [make(optimizer) for make in schedulers], list(milestones))


class AtOnce(ChainedScheduler):
    """torch's `ChainedScheduler`, of which the rates multiply, of what makes its `schedulers` from the `optimizer`."""

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRSchedulerCallable]) -> None:
        super().__init__([make(optimizer) for make in schedulers], optimizer)


def with_cure(refusal: str) -> str:
    """The line that refuses an option; if it is about schedules that torch's classes of several take, with the cure."""
    if re.search(r"lr_scheduler\.schedulers: .* needs optimizer|ChainedScheduler has no option schedulers", refusal):
        return "--model.lr_scheduler: in place of SequentialLR a config names InTurn, of ChainedScheduler AtOnce"
    return refusal
