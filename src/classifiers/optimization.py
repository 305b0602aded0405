"""How an optimiser and its schedule are made of what a config names."""

import inspect
import math
from collections.abc import Iterable
from typing import Any

from lightning.pytorch.cli import LRSchedulerCallable
from torch.nn import Parameter

from classifiers.errors import UserError


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


def takes_total_steps(make: LRSchedulerCallable) -> bool:
    """Whether `make`, a class or a partial one, makes a schedule with a `total_steps` that it leaves open."""
    given = getattr(make, "keywords", {})
    if any(given.get(name) is not None for name in ("total_steps", "epochs")):
        return False
    classes = [
        made for made in (make, getattr(make, "func", None), *getattr(make, "args", ())) if isinstance(made, type)
    ]
    return any("total_steps" in inspect.signature(made).parameters for made in classes)


def require_length(total_steps: int | None, length: float, interval: str) -> None:
    """Raise UserError if a schedule of `total_steps` would end before a run of `length`, both in `interval`s."""
    if total_steps is not None and total_steps < length < math.inf:
        end = f"ends after {total_steps} {interval}s, the run after {length:.0f}"
        raise UserError(f"the learning-rate schedule {end}: train less, or start anew with a longer schedule")
