import pytest
import torch
from torch import nn

from classifiers.callbacks import LossIsMean
from tests.small_models import small, synthetic, trained
from tests.test_metrics import RootOfMean

LINE = "beware: RootOfMean of a batch is no mean over its images, so that val/loss depends on the batch size"


def test_a_loss_that_is_no_mean_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    trained(small(synthetic(), loss=RootOfMean()), synthetic(), callbacks=[LossIsMean()])
    assert capsys.readouterr().out.count(LINE) == 1


def test_losses_of_torchs_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    trained(small(synthetic(), loss=nn.CrossEntropyLoss(reduction="sum")), synthetic(), callbacks=[LossIsMean()])
    assert capsys.readouterr().out == ""


def test_the_loss_of_a_test_is_the_same_in_any_batches() -> None:
    data = synthetic()
    model = small(data, loss=nn.CrossEntropyLoss(weight=torch.tensor([1.0, 10.0, 1.0, 0.1])))
    trainer = trained(model, data)
    losses = []
    for batch_size in (1, 7, 100):
        (found,) = trainer.test(model, datamodule=synthetic(batch_size=batch_size), verbose=False)
        losses.append(found["test/loss"])
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
