"""How many training images are held out, and in which order they come for that."""

from collections.abc import Mapping

import torch
from torch import Tensor

from classifiers.experiment.errors import UserError


def held_out(option: str, share: int | float, size: int) -> int:
    """How many of `size` training images `option` holds out: their `share` below 1, else their number.

    Raises:
        UserError: none, or all.
    """
    count = round(share * size) if share < 1 else int(share)
    if not 0 < count < size:
        raise UserError(f"--data.{option} {share} holds out {count} of {size} training images")
    return count


def stratified_order(labels: Tensor, seed: int) -> Tensor:
    """A random order `(N,)` of images with these `labels` `(N,)`, of which every part has its share of each class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    place = torch.empty(len(labels))
    for label in range(int(labels.max()) + 1):
        of_class = labels[order] == label
        count = int(of_class.sum())
        place[of_class] = (torch.arange(count) + 0.5) / count
    return order[place.argsort(stable=True)]


def stratified_parts(labels: Tensor, sizes: Mapping[str, int | float], seed: int) -> dict[str, Tensor]:
    """The indices of what is held out for each name in `sizes`, class by class, and of the rest, `train`."""
    parts = {"train": stratified_order(labels, seed)}
    for name, size in sizes.items():
        count = held_out(f"{name}_size", size, len(parts["train"]))
        parts[name], parts["train"] = parts["train"][:count], parts["train"][count:]
    return parts
