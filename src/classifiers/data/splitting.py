"""How many training images are held out, and which."""

import math
from collections.abc import Mapping

from torch import Tensor

from classifiers.data.identity import random_numbers
from classifiers.experiment.errors import UserError


def held_out(option: str, share: int | float, size: int) -> int:
    """How many of `size` training images `option` holds out: their `share` below 1, else their number.

    Raises:
        UserError: none, or all.
    """
    if not math.isfinite(share) or (share > 1 and share != int(share)):
        raise UserError(f"--data.{option} is {share}: it must be a share below 1, or a whole number of images")
    count = round(share * size) if share < 1 else int(share)
    if not 0 < count < size:
        raise UserError(f"--data.{option} {share} holds out {count} of {size} training images")
    return count


def parts_by_class(
    labels: Tensor, identities: Tensor, sizes: Mapping[str, int | float], seed: int
) -> dict[str, Tensor]:
    """The indices of what is held out for each name in `sizes`, and of the rest, `train`, each in a random order.

    Whether an image is held out follows from its identity and the seed, so that a further one moves no other, and the
    sizes are about those asked for. Of each class with two images, at least one is held out and one is left.

    Args:
        labels: classes `(N,)` of the images.
        identities: of the images, `(N,)`.
        sizes: a share of what is left by then, below 1, or a number of images.
        seed: of the split.
    """
    parts = {"train": random_numbers(identities, f"{seed}").argsort()}
    for name, size in sizes.items():
        rest = parts["train"]
        share = size if size < 1 else size / len(rest)
        held_out(f"{name}_size", size, len(rest))
        drawn = random_numbers(identities, f"{seed} {name}")[rest]
        chosen = _with_every_class(drawn < share, drawn, labels[rest])
        parts[name], parts["train"] = rest[chosen], rest[~chosen]
    return parts


def _with_every_class(chosen: Tensor, drawn: Tensor, labels: Tensor) -> Tensor:
    """`chosen` `(N,)`, and of a class of which none is, the image first `drawn`; but never the last of its class."""
    order = drawn.argsort(descending=True, stable=True)
    order = order[labels[order].argsort(stable=True)]
    counts = labels.bincount()
    ends = counts.cumsum(0)
    first, last = order[(ends - 1)[counts > 1]], order[(ends - counts)[counts > 0]]
    chosen[first] = True
    chosen[last] = False
    return chosen
