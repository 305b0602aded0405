"""How an optimiser and its schedule are made of what a config names."""

import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any, Literal

from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from classifiers.experiment.errors import UserError
from classifiers.experiment.monitors import require_mode


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


def require_callable(optimizer: Any) -> OptimizerCallable:
    """`optimizer`, which makes an optimiser; UserError if it is one already."""
    if isinstance(optimizer, Optimizer):
        name = type(optimizer).__name__
        raise UserError(f"optimizer is an {name} made already: give the class, or partial({name}, lr=…)")
    made: OptimizerCallable = optimizer
    return made


def parameter_groups(parameters: Iterable[Parameter], decay_norms_and_biases: bool) -> list[Any]:
    """Those that are trained; in two groups where parameters of one dimension are spared the weight decay.

    After He et al., "Bag of tricks for image classification with convolutional neural networks" (2018), section 3.1.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if decay_norms_and_biases:
        return trained
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim <= 1]
    return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]


def natural_interval(make: LRSchedulerCallable) -> Literal["epoch", "step"]:
    """The unit that a schedule counts in: steps, if it asks for its length or for that of its cycles, else epochs."""
    return "step" if _takes(make, "total_steps") or _takes(make, "step_size_up") else "epoch"


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
    """Whether the class that `make` is, or is a partial one of, has an argument of that name."""
    made = (make, getattr(make, "func", None), *getattr(make, "args", ()))
    return any(name in inspect.signature(kind).parameters for kind in made if isinstance(kind, type))
