"""What a net says of every image of a test, and what follows of it class by class."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, distributed
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class Answered(NamedTuple):
    """Of all images in order: classes `true` and `predicted` `(N,)`, and the `probability` `(N,)` of the latter."""

    true: Tensor
    predicted: Tensor
    probability: Tensor

    @property
    def right(self) -> Tensor:
        """Which of the images `(N,)` are."""
        return self.true == self.predicted

    def surest_mistakes(self) -> Tensor:
        """The places `(M,)` of all wrong answers, those of the highest probability first."""
        places = (~self.right).nonzero().flatten()
        return places[self.probability[places].argsort(descending=True, stable=True)]

    def confused(self) -> tuple[Tensor, Tensor]:
        """The pairs `(P, 2)` of a true class and another that it was taken for, and how often `(P,)`, in that order."""
        wrong = torch.stack([self.true, self.predicted], 1)[~self.right]
        pairs, counts = wrong.unique(dim=0, return_counts=True)  # type: ignore[no-untyped-call]
        order = counts.argsort(descending=True, stable=True)
        return pairs[order], counts[order]

    def matrix(self, classes: int) -> Tensor:
        """The images `(K, K)` of each true class (row) by predicted class."""
        return (self.true * classes + self.predicted).bincount(minlength=classes**2).view(classes, classes)

    def scores(self, classes: int) -> dict[str, Tensor]:
        """How many `images` each class has, its `precision`, `recall` and `F1`, `(K,)`; 0 where there are none."""
        images, taken, hits = (
            some.bincount(minlength=classes) for some in (self.true, self.predicted, self.true[self.right])
        )
        shares = {"precision": hits / taken, "recall": hits / images, "F1": 2 * hits / (images + taken)}
        return {"images": images, **{name: share.nan_to_num(0) for name, share in shares.items()}}


def worst(scores: Mapping[str, Tensor]) -> Tensor:
    """Of the classes that have images, by their `scores` `(K,)`, those of the least F1 first, then of more images."""
    images, f1 = scores["images"], scores["F1"]
    order = images.argsort(descending=True, stable=True)
    order = order[f1[order].argsort(stable=True)]
    return order[images[order] > 0]


class Answers(Metric):
    """Keeps a few numbers of each image, so that a step costs the same for any number of classes."""

    full_state_update = False
    true: list[Tensor]
    predicted: list[Tensor]
    probability: list[Tensor]
    places: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        for name in ("places", *Answered._fields):
            self.add_state(name, default=[], dist_reduce_fx="cat")
        self._seen = 0

    def update(self, probabilities: Tensor, classes: Tensor) -> None:
        """Take a batch: probabilities `(B, K)`, classes `(B,)`; of n processes, each has every n-th image."""
        processes, rank = (distributed.get_world_size(), distributed.get_rank()) if _several() else (1, 0)
        highest, predicted = probabilities.max(1)
        places = torch.arange(self._seen, self._seen + len(classes), device=classes.device) * processes + rank
        self._seen += len(classes)
        for state, values in ((self.places, places), (self.true, classes), (self.predicted, predicted)):
            state.append(values)
        self.probability.append(highest)

    def compute(self) -> Answered:
        """Of all processes, on the CPU."""
        order = dim_zero_cat(self.places).argsort()
        return Answered(*(dim_zero_cat(getattr(self, name))[order].cpu() for name in Answered._fields))


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized()
