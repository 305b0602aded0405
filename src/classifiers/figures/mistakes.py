"""Where a net is wrong and sure of itself."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class Mistake(NamedTuple):
    """A uint8 image `(C, H, W)`, its predicted and its true class, and the probability of the predicted one."""

    image: Tensor
    predicted: int
    true: int
    probability: float


class Mistakes(Metric):
    """The `most` wrong answers of the highest probability, over all images and processes."""

    full_state_update = False
    images: list[Tensor]
    predicted: list[Tensor]
    true: list[Tensor]
    probabilities: list[Tensor]

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        for name in ("images", "predicted", "true", "probabilities"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, images: Tensor, probabilities: Tensor, classes: Tensor) -> None:
        """Look at a batch: uint8 images `(B, C, H, W)`, class probabilities `(B, K)`, classes `(B,)`."""
        highest, predicted = probabilities.max(1)
        wrong = predicted != classes
        self.images.append(images[wrong])
        self.predicted.append(predicted[wrong])
        self.true.append(classes[wrong])
        self.probabilities.append(highest[wrong])
        self.images, self.predicted, self.true, self.probabilities = ([state] for state in self._surest())

    def compute(self) -> list[Mistake]:
        """The surest first."""
        images, *values = self._surest()
        return [Mistake(*mistake) for mistake in zip(images, *(value.tolist() for value in values), strict=True)]

    def _surest(self) -> tuple[Tensor, ...]:
        states = tuple(dim_zero_cat(state) for state in (self.images, self.predicted, self.true, self.probabilities))
        order = torch.argsort(states[3], descending=True, stable=True)[: self.most]
        return tuple(state[order] for state in states)
