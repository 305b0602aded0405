"""Exact loss and accuracy over all images, for the price of a few additions a step."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from classifiers.data.image_dataset import class_indices


class LossAndAccuracy(Metric):
    """Mean loss and accuracy over every image since the last reset, whatever the batch sizes.

    The loss of a batch is taken to be its mean, and weighted by its images.
    """

    full_state_update = False
    loss_sum: Tensor
    correct: Tensor
    images: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, zero in (("loss_sum", 0.0), ("correct", 0), ("images", 0)):
            self.add_state(name, default=torch.tensor(zero), dist_reduce_fx="sum")
        self._logged: tuple[Tensor | float, Tensor | int] = (0.0, 0)  # loss_sum and images at the last log

    def update(self, loss: Tensor, logits: Tensor, targets: Tensor) -> None:
        """Count a batch: its mean loss `()`, logits `(B, K)`, and labels `(B,)` or one-hot or soft rows `(B, K)`."""
        if self.loss_sum.dtype != torch.float32:  # taken along by a half-precision module
            self.loss_sum = self.loss_sum.float()
        self.loss_sum.add_(loss.detach(), alpha=len(logits))  # in place: a metric's attributes are slow to set
        self.correct.add_((logits.detach().argmax(1) == class_indices(targets)).sum())
        self.images.add_(len(logits))

    def compute(self) -> dict[str, Tensor]:
        return {"loss": self.loss_sum / self.images, "acc": self.correct / self.images}

    def loss_since_last_log(self) -> Tensor:
        """Mean loss `()` over the images since the last call, across resets, on this device alone."""
        loss_sum, images = self._logged
        self._logged = (self.loss_sum.clone(), self.images.clone())
        return (self.loss_sum - loss_sum) / (self.images - images)

    def reset(self) -> None:
        loss_sum, images = self._logged
        self._logged = (loss_sum - self.loss_sum, images - self.images)
        super().reset()
