import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from classifiers.experiment.checkpoints.exact_resume import count_on, counts
from classifiers.losses import as_mean, is_mean
from classifiers.metrics import LossAndAccuracy


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_loss_and_accuracy_are_exact_at_any_batch_size(batch_size: int) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(201, 5), torch.randint(5, (201,))
    metrics = LossAndAccuracy()
    for rows, targets in zip(logits.split(batch_size), labels.split(batch_size), strict=True):
        metrics.update(F.cross_entropy(rows, targets), rows.argmax(1) == targets)
    exact = metrics.compute()
    assert exact["acc"].item() == pytest.approx(sum(logits.argmax(1) == labels).item() / 201, abs=1e-7)
    assert exact["loss"].item() == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-6)


WEIGHTS = torch.tensor([1.0, 10.0, 0.1, 3.0, 0.5])
LOSSES = {
    "plain": nn.CrossEntropyLoss(),
    "weights": nn.CrossEntropyLoss(weight=WEIGHTS),
    "a weight of none": nn.CrossEntropyLoss(weight=torch.tensor([1.0, 0.0, 2.0, 0.0, 0.0])),
    "weights and smoothing": nn.CrossEntropyLoss(weight=WEIGHTS, label_smoothing=0.1),
    "ignored class": nn.CrossEntropyLoss(ignore_index=3),
    "ignored class and weights": nn.CrossEntropyLoss(weight=WEIGHTS, ignore_index=1, label_smoothing=0.2),
    "nll": nn.NLLLoss(weight=WEIGHTS),
    "sum": nn.CrossEntropyLoss(reduction="sum"),
    "margins": nn.MultiMarginLoss(weight=WEIGHTS),
}


@pytest.mark.parametrize("batch_size", [1, 7, 100])
@pytest.mark.parametrize("name", LOSSES)
def test_the_mean_of_any_loss_of_torchs_is_that_of_all_images_at_once(name: str, batch_size: int) -> None:
    draw = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(201, 5, generator=draw), torch.randint(5, (201,), generator=draw)
    loss = LOSSES[name]
    metrics = LossAndAccuracy()
    for rows, targets in zip(logits.split(batch_size), labels.split(batch_size), strict=True):
        value, divisor = as_mean(loss, loss(rows, targets), targets)
        metrics.update(value, rows.argmax(1) == targets, divisor)
    whole = loss(logits, labels) / (201 if name == "sum" else 1)
    assert metrics.compute()["loss"].item() == pytest.approx(whole.item(), rel=1e-5)
    assert metrics.loss_since_last_log().item() == pytest.approx(whole.item(), rel=1e-5)
    assert is_mean(loss, logits, labels)


def test_soft_targets_are_weighed_by_their_number() -> None:
    draw = torch.Generator().manual_seed(0)
    logits, rows = torch.randn(20, 5, generator=draw), torch.rand(20, 5, generator=draw).softmax(1)
    loss = nn.CrossEntropyLoss(weight=WEIGHTS)
    assert as_mean(loss, loss(logits, rows), rows)[1] is None
    assert is_mean(loss, logits, rows)


class RootOfMean(nn.Module):
    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits, targets).sqrt()


def test_a_loss_that_is_no_mean_is_told_apart() -> None:
    draw = torch.Generator().manual_seed(0)
    assert not is_mean(RootOfMean(), torch.randn(20, 5, generator=draw), torch.randint(5, (20,), generator=draw))


def test_a_half_precision_module_keeps_the_loss_exact() -> None:
    metrics = LossAndAccuracy()
    metrics.loss_sum = metrics.loss_sum.bfloat16()
    half = torch.tensor(0.5, dtype=torch.bfloat16)
    for _ in range(422):
        metrics.update(half, torch.ones(128, dtype=torch.bool))
    assert metrics.compute()["loss"] == 0.5


def update(metrics: LossAndAccuracy, loss: float, images: int) -> None:
    metrics.update(torch.tensor(loss), torch.ones(images, dtype=torch.bool))


def test_the_loss_since_the_last_log_weighs_images_and_crosses_resets() -> None:
    metrics = LossAndAccuracy()
    update(metrics, 1.0, images=3)
    update(metrics, 5.0, images=1)
    assert metrics.loss_since_last_log() == 2.0
    update(metrics, 3.0, images=2)
    metrics.reset()
    update(metrics, 6.0, images=4)
    assert metrics.loss_since_last_log() == 5.0
    assert metrics.compute()["loss"] == 6.0


def test_counting_goes_on_from_what_was_saved() -> None:
    metrics, other = LossAndAccuracy(), LossAndAccuracy()
    update(metrics, 1.0, images=3)
    metrics.loss_since_last_log()
    update(metrics, 5.0, images=1)
    count_on(other, counts(metrics))
    update(other, 3.0, images=1)
    assert other.loss_since_last_log() == 4.0
    assert other.compute()["loss"] == 11 / 5
    assert metrics.loss_since_last_log() == 5.0
