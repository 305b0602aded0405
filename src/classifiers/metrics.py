"""Exact loss and accuracy over all images, for the price of a few additions a step, and where they are logged."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from classifiers.experiment import ExperimentModule
from classifiers.experiment.training.log_steps import LogSteps


class LossAndAccuracy(Metric):
    """Mean loss and accuracy over every image since the last reset, whatever the batch sizes.

    The loss of a batch is taken to be its mean, and weighted by its images, or by what it divided its sum by.
    """

    full_state_update = False
    loss_sum: Tensor
    correct: Tensor
    images: Tensor
    surplus: Tensor  # of what the means were divided by over the number of images
    logged_loss_sum: Tensor
    logged_images: Tensor

    def __init__(self) -> None:
        super().__init__()
        floats = ("loss_sum", "surplus", "logged_loss_sum", "logged_images")
        zeros = {"correct": 0, "images": 0, **dict.fromkeys(floats, 0.0)}
        for name, zero in zeros.items():
            self.add_state(name, default=torch.tensor(zero), dist_reduce_fx="sum")

    def update(self, loss: Tensor, correct: Tensor, divisor: Tensor | None = None) -> None:
        """Count a batch: its mean loss `()`, which of its images `(B,)` are right, and by what `()` the mean divides
        the sum of theirs, if by another number than B.
        """
        if self.loss_sum.dtype != torch.float32:  # taken along by a half-precision module
            self.loss_sum, self.surplus = self.loss_sum.float(), self.surplus.float()
        if divisor is None:
            self.loss_sum.add_(loss.detach(), alpha=len(correct))  # in place: a metric's attributes are slow to set
        else:
            self.loss_sum.add_(torch.where(divisor > 0, loss.detach() * divisor, 0))  # the mean of none is no number
            self.surplus.add_(divisor - len(correct))
        self.correct.add_(correct.sum())
        self.images.add_(len(correct))

    def compute(self) -> dict[str, Tensor]:
        """The mean `loss` `()` and the share of right images `acc` `()`, in [0, 1], of all processes."""
        return self.means()

    def means(self) -> dict[str, Tensor]:
        """As `compute`, of this process's images alone."""
        return {"loss": self.loss_sum / (self.images + self.surplus), "acc": self.correct / self.images}

    def loss_since_last_log(self) -> Tensor:
        """Mean loss `()` over the images since the last call, across resets, on this device alone."""
        weight = self.images + self.surplus
        loss = (self.loss_sum - self.logged_loss_sum) / (weight - self.logged_images)
        self.logged_loss_sum, self.logged_images = self.loss_sum.clone(), weight
        return loss

    def reset(self) -> None:
        """Count anew, but for the loss since the last log."""
        loss_sum, weight = self.logged_loss_sum - self.loss_sum, self.logged_images - (self.images + self.surplus)
        super().reset()
        self.logged_loss_sum, self.logged_images = loss_sum, weight


class MeasuredModule(ExperimentModule):
    """Logs `train/loss`, the mean since the last log, every `log_every_n_steps`, and every epoch, over all images,
    `train/epoch_loss`, `train/acc`, and `loss`, `acc` and `scores` under `val/` and `test/`: what its steps count.
    """

    def __init__(self, scores: MetricCollection) -> None:
        super().__init__()
        self.val_scores, self.test_scores = (scores.clone(prefix=prefix) for prefix in ("val/", "test/"))
        self.train_metrics, self.val_metrics, self.test_metrics = (LossAndAccuracy() for _ in range(3))
        self.log_steps = LogSteps()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.log_steps.now(self.trainer):
            self.log("train/loss", self.train_metrics.loss_since_last_log(), prog_bar=True)

    def on_train_start(self) -> None:
        self.log_steps.begin(self.trainer)

    def progress(self) -> dict[str, Tensor]:
        """The loss and accuracy `()` of this process's images since the epoch began, and their number `()`."""
        return {**self.train_metrics.means(), "images": self.train_metrics.images}

    def on_train_epoch_end(self) -> None:
        self._log_epoch(self.train_metrics, loss="train/epoch_loss", acc="train/acc", prog_bar=False)

    def on_validation_epoch_end(self) -> None:
        self._log_epoch(self.val_metrics, loss="val/loss", acc="val/acc")
        self._log_scores(self.val_scores)

    def on_test_epoch_end(self) -> None:
        self._log_epoch(self.test_metrics, loss="test/loss", acc="test/acc")
        self._log_scores(self.test_scores)

    def _log_epoch(self, metrics: LossAndAccuracy, loss: str, acc: str, prog_bar: bool = True) -> None:
        exact = metrics.compute()
        self.log_dict({loss: exact["loss"], acc: exact["acc"]}, prog_bar=prog_bar, sync_dist=True)
        metrics.reset()

    def _log_scores(self, scores: MetricCollection) -> None:
        self.log_dict(scores.compute(), sync_dist=True)
        scores.reset()


def class_indices(targets: Tensor) -> Tensor:
    """The classes `(B,)` of labels `(B,)`, or of one-hot or soft rows `(B, K)`."""
    return targets.argmax(1) if targets.ndim == 2 else targets
