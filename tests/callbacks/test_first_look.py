from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from classifiers import ImageClassifier, fit
from classifiers.callbacks import FirstLook
from classifiers.data import CutMix, MixUp
from classifiers.experiment.errors import UserError
from classifiers.models import MLP
from tests.small_models import small, synthetic, trained
from tests.test_metrics import RootOfMean

LINE = "beware: RootOfMean of a batch is no mean over its images, so that val/loss depends on the batch size"


def test_a_loss_that_is_no_mean_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    trained(small(synthetic(), loss=RootOfMean()), synthetic(), callbacks=[FirstLook()])
    assert capsys.readouterr().out.count(LINE) == 1


def test_losses_of_torchs_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    trained(small(synthetic(), loss=nn.CrossEntropyLoss(reduction="sum")), synthetic(), callbacks=[FirstLook()])
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


def fitted(model: ImageClassifier) -> None:
    fit(model, synthetic(), max_epochs=1, accelerator="cpu", default_root_dir="runs")


def test_other_names_of_classes_are_refused() -> None:
    names = ("pattern 1", "pattern 0", "pattern 2", "pattern 3")
    with pytest.raises(UserError, match="class_names are pattern 1, .*, and the data's pattern 0"):
        fitted(small(synthetic(), class_names=names))
    with pytest.raises(UserError, match="class_names are pattern 1, pattern 0, and the data's pattern 0, "):
        fitted(small(synthetic(), class_names=names[:2]))


def test_what_a_model_made_by_hand_does_not_know_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    fitted(ImageClassifier(MLP(1, 16, 4)))
    line = "beware: the model has not the data's class_names nor mean and std: ImageClassifier.for_data(net, data)"
    assert line in capsys.readouterr().out
    fitted(small(synthetic(), mean=[0.1]))
    assert "beware: the model has not the data's mean and std: " in capsys.readouterr().out
    fitted(small(synthetic()))
    assert "beware" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("loss", "given", "line"),
    [
        (nn.NLLLoss(), {"augmentations": [MixUp(), CutMix()]},
         "NLLLoss doesn't take rows (B, K) of shares, the labels of MixUp and CutMix: take torch.nn.CrossEntropyLoss, "
         "or leave MixUp and CutMix out (0D or 1D target"),
        (nn.MultiMarginLoss(), {"augmentations": [CutMix()]}, "MultiMarginLoss doesn't take rows (B, K) of"),
        (nn.CrossEntropyLoss(ignore_index=1), {"augmentations": [MixUp()]}, "CrossEntropyLoss doesn't take rows"),
        (nn.NLLLoss(), {"one_hot": True}, "NLLLoss doesn't take rows (B, K) of shares, the labels of --data.one_hot"),
        (nn.BCEWithLogitsLoss(), {"augmentations": [MixUp()]},
         "BCEWithLogitsLoss doesn't take classes (B,), the labels of validation: --data.one_hot true makes them rows"),
    ],
)  # fmt: skip
def test_a_loss_must_take_the_labels_of_mixed_images(
    loss: nn.Module, given: dict[str, Any], line: str, tmp_path: Path
) -> None:
    data = synthetic(**given)
    with pytest.raises(UserError) as error:
        fit(small(data, loss=loss), data, max_epochs=1, accelerator="cpu", default_root_dir="runs")
    assert str(error.value).startswith(line)


def test_losses_that_take_shares_learn_from_mixed_images() -> None:
    for loss, one_hot in ((nn.CrossEntropyLoss(label_smoothing=0.1), False), (nn.BCEWithLogitsLoss(), True)):
        data = synthetic(augmentations=[MixUp(), CutMix()], one_hot=one_hot)
        run = fit(small(data, loss=loss), data, max_epochs=8, accelerator="cpu", default_root_dir="runs", seed=0)
        assert run.metrics["test/acc"] > 0.5


def test_the_mean_that_a_net_is_made_for_is_as_good_as_the_datas(capsys: pytest.CaptureFixture[str]) -> None:
    class KnownImages(MLP):
        @classmethod
        def images(cls, in_channels: int, **_: Any) -> dict[str, Any]:
            return {"mean": [0.3] * in_channels, "std": [0.1] * in_channels}

    model = ImageClassifier.for_data(KnownImages(1, 16, 4), synthetic())
    assert (model.hparams["mean"], model.hparams["std"]) == ([0.3], [0.1])
    fitted(model)
    assert "beware" not in capsys.readouterr().out


def test_a_net_of_more_or_fewer_outputs_than_classes_is_refused() -> None:
    data = synthetic()
    with pytest.raises(UserError, match="the net has 9 outputs, and the model 4 class_names: make it for num_"):
        fitted(ImageClassifier.for_data(MLP(1, 16, 9), data))
    with pytest.raises(UserError, match="the net has fewer outputs than the data has classes: Target 3 is out of"):
        fitted(ImageClassifier.for_data(MLP(1, 16, 3), data))
