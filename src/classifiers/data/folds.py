"""Cross-validation: all images in folds, of which one is held out."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from classifiers.data.identity import random_numbers
from classifiers.experiment.errors import UserError


class Folds(NamedTuple):
    """So `many` folds, of which that of the number `held`, from 0, is for validation."""

    many: int
    held: int

    @classmethod
    def of(cls, folds: int | None, fold: int, validate_on_test: bool) -> Self | None:
        """What the options of a data module say; UserError if there is no such fold."""
        if folds is not None and folds < 2:
            raise UserError(f"--data.folds is {folds}: it must be at least 2")
        if not 0 <= fold < (folds or 1):
            cure = f"give a number from 0 to {folds - 1}" if folds else "give --data.folds too, into how many"
            raise UserError(f"--data.fold is {fold}: {cure}")
        if folds and validate_on_test:
            raise UserError("--data.folds are of training images: leave --data.validate_on_test out")
        return cls(folds, fold) if folds else None

    def split(self, labels: Tensor, identities: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Sorted indices of the images outside of the fold, and of those in it: of each class an equal share.

        Args:
            labels: classes `(N,)` of the images.
            identities: of the images, `(N,)`: with the `seed`, they alone say how these are drawn.
            seed: of the split.

        Raises:
            UserError: more folds than images.
        """
        if self.many > len(labels):
            raise UserError(f"--data.folds is {self.many}, and there are {len(labels)} images: take fewer")
        order = random_numbers(identities, f"{seed} folds").argsort()
        order = order[labels[order].argsort(stable=True)]
        held = torch.zeros(len(labels), dtype=torch.bool)
        held[order[self.held :: self.many]] = True
        return (~held).nonzero().flatten(), held.nonzero().flatten()
