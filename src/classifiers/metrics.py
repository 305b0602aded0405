"""Exact loss and accuracy over all images, for the price of a few additions a step."""

import torch
from torch import Tensor
from torchmetrics import Metric


class LossAndAccuracy(Metric):
    """Mean loss and accuracy over every image since the last reset, whatever the batch sizes.

    The loss of a batch is taken to be its mean, and weighted by its images.
    """

    full_state_update = False
    loss_sum: Tensor
    correct: Tensor
    images: Tensor
    logged_loss_sum: Tensor
    logged_images: Tensor

    def __init__(self) -> None:
        super().__init__()
        zeros = {"loss_sum": 0.0, "correct": 0, "images": 0, "logged_loss_sum": 0.0, "logged_images": 0}
        for name, zero in zeros.items():
            self.add_state(name, default=torch.tensor(zero), dist_reduce_fx="sum")

    def update(self, loss: Tensor, correct: Tensor) -> None:
        """Count a batch: its mean loss `()`, and which of its images `(B,)` are right."""
        if self.loss_sum.dtype != torch.float32:  # taken along by a half-precision module
            self.loss_sum = self.loss_sum.float()
        self.loss_sum.add_(loss.detach(), alpha=len(correct))  # in place: a metric's attributes are slow to set
        self.correct.add_(correct.sum())
        self.images.add_(len(correct))

    def compute(self) -> dict[str, Tensor]:
        """The mean `loss` `()` and the share of right images `acc` `()`, in [0, 1]."""
        return {"loss": self.loss_sum / self.images, "acc": self.correct / self.images}

    def loss_since_last_log(self) -> Tensor:
        """Mean loss `()` over the images since the last call, across resets, on this device alone."""
        loss = (self.loss_sum - self.logged_loss_sum) / (self.images - self.logged_images)
        self.logged_loss_sum, self.logged_images = self.loss_sum.clone(), self.images.clone()
        return loss

    def reset(self) -> None:
        """Count anew, but for the loss since the last log."""
        loss_sum, images = self.logged_loss_sum - self.loss_sum, self.logged_images - self.images
        super().reset()
        self.logged_loss_sum, self.logged_images = loss_sum, images


def class_indices(targets: Tensor) -> Tensor:
    """The classes `(B,)` of labels `(B,)`, or of one-hot or soft rows `(B, K)`."""
    return targets.argmax(1) if targets.ndim == 2 else targets
