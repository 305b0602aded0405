"""What the loss of a batch counts for in the mean over all images."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from classifiers.experiment.errors import UserError, one_line


def as_mean(loss: nn.Module, value: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | None]:
    """The `value` `()` of `loss` for a batch with these `targets`, as a mean, and by what `()` that divides the sum of
    its images; None if by their number.

    Cross-entropy divides by the weights of the classes, and leaves out the images of one that it ignores.
    """
    kind: Any = loss
    reduction = getattr(kind, "reduction", "mean")
    if reduction == "sum":
        return value / len(targets), None
    weighted = isinstance(kind, nn.CrossEntropyLoss | nn.NLLLoss) and reduction == "mean" and targets.ndim == 1
    if not weighted or (kind.weight is None and kind.ignore_index < 0):
        return value, None
    weights = torch.ones(len(targets), device=targets.device) if kind.weight is None else kind.weight[targets].float()
    return value, weights.masked_fill(targets == kind.ignore_index, 0).sum()


def require_takes(loss: nn.Module, logits: Tensor, targets: Tensor, source: str, cure: str) -> None:
    """UserError if `loss` doesn't take logits `(B, K)` with such `targets`, which are of a `source`."""
    try:
        copy.deepcopy(loss)(logits, targets)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        kind = "rows (B, K) of shares" if targets.ndim == 2 else "classes (B,)"
        message = f"{type(loss).__name__} doesn't take {kind}, the labels of {source}: {cure}"
        raise UserError(f"{message} ({one_line(error)})") from error


def is_mean(loss: nn.Module, logits: Tensor, targets: Tensor) -> bool:
    """Whether `loss` of a batch, logits `(B, K)` and their targets, is by `as_mean` what those of its halves make, of
    which one is made surer than the other.
    """
    loss, half = copy.deepcopy(loss), len(logits) // 2  # it may count its calls
    logits = torch.cat([logits[:half] / 10, logits[half:] * 10])
    total, divisor = [], []
    for part in (slice(half), slice(half, None), slice(None)):
        value, by = as_mean(loss, loss(logits[part], targets[part]), targets[part])
        divisor.append(torch.as_tensor(len(targets[part])) if by is None else by)
        total.append(value * divisor[-1])
    return torch.allclose(total[0] + total[1], total[2], rtol=1e-3, atol=1e-5)
