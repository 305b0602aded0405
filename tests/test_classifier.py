import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import BackboneFinetuning
from lightning.pytorch.loggers import Logger
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.optim import lr_scheduler

from classifiers import MLP, ConvNet, ImageClassifier, SyntheticDataModule, UserError, load_classifier
from tests.small_models import QUIET, small, synthetic, trained


def test_forward_normalises_raw_pixels() -> None:
    model = ImageClassifier(nn.Flatten(), mean=(0.5, 0.25), std=(0.5, 0.125))
    images = torch.tensor([0, 255, 51, 102], dtype=torch.uint8).view(1, 2, 2, 1)
    assert model(images)[0].tolist() == pytest.approx([-1.0, 1.0, -0.4, 1.2])


def test_a_small_net_learns_the_synthetic_images_in_seconds() -> None:
    seed_everything(0)
    data = SyntheticDataModule()
    net = ConvNet(data.in_channels, data.image_size, data.num_classes, widths=(8, 16))
    trainer = trained(ImageClassifier(net, partial(torch.optim.Adam, lr=0.01), mean=data.mean, std=data.std), data)
    (result,) = trainer.test(datamodule=data, verbose=False, ckpt_path=None, model=trainer.lightning_module)
    assert result["test/acc"] > 0.9


@pytest.mark.filterwarnings("ignore:You requested to overfit but enabled train dataloader shuffling")
def test_overfits_one_batch() -> None:
    seed_everything(0)
    data = synthetic()
    data.setup("fit")
    data.train_set.labels = torch.randint(4, (400,))  # labels that no pattern explains
    model = small(data, optimizer=partial(torch.optim.Adam, lr=0.03))
    trainer = trained(model, data, overfit_batches=1, max_epochs=120)
    assert trainer.callback_metrics["train/acc"] == 1.0
    assert trainer.callback_metrics["train/epoch_loss"] < 0.1


@pytest.mark.parametrize("batch_size", [1, 64, 1000])
def test_evaluation_counts_every_image_once(batch_size: int) -> None:
    data = synthetic(batch_size=batch_size)
    model = small(data)
    (result,) = Trainer(**QUIET).test(model, data, verbose=False)
    images, labels = data.load(train=False)
    with torch.inference_mode():
        logits = model.eval()(images)
    assert result["test/acc"] == pytest.approx((logits.argmax(1) == labels).double().mean().item(), abs=1e-7)
    assert result["test/loss"] == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)


def test_predictions_are_probabilities() -> None:
    data = synthetic()
    batches = Trainer(**QUIET).predict(small(data), data)
    assert batches is not None
    probabilities = torch.cat(batches)  # type: ignore[arg-type]
    assert probabilities.shape == (130, 4)
    assert probabilities.sum(1).tolist() == pytest.approx([1.0] * 130)


@pytest.mark.parametrize("rows", ["one-hot int64", "soft float32"])
def test_targets_may_be_rows(rows: str) -> None:
    data = synthetic()
    data.setup("fit")
    by_index, by_row = small(data), small(data)
    by_row.load_state_dict(by_index.state_dict())
    (expected,) = Trainer(**QUIET).validate(by_index, data, verbose=False)
    one_hot = F.one_hot(data.val_set.labels, 4)
    data.val_set.labels = one_hot if rows == "one-hot int64" else 0.9 * one_hot + 0.025
    (result,) = Trainer(**QUIET).validate(by_row, data, verbose=False)
    assert result["val/acc"] == expected["val/acc"]
    if rows == "one-hot int64":
        assert result["val/loss"] == pytest.approx(expected["val/loss"])


class Rows(Logger):
    """A logger that keeps (global step, metrics) in memory."""

    name = version = "rows"

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int | None, dict[str, float]]] = []

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.rows.append((step, metrics))

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        pass


def logged(**arguments: Any) -> list[tuple[int | None, dict[str, float]]]:
    data = synthetic(batch_size=36, train_size=400)  # 360 training images: ten batches
    logger = Rows()
    trained(small(data), data, logger=logger, **arguments)
    return logger.rows


def test_training_loss_is_logged_by_step_and_the_rest_by_epoch() -> None:
    rows = logged(log_every_n_steps=4)
    assert [(step, sorted(metrics)) for step, metrics in rows] == [
        (3, ["epoch", "lr", "train/loss"]),
        (7, ["epoch", "lr", "train/loss"]),
        (9, ["epoch", "val/acc", "val/loss"]),
        (9, ["epoch", "train/acc", "train/epoch_loss"]),
        (11, ["epoch", "lr", "train/loss"]),
        (15, ["epoch", "lr", "train/loss"]),
        (19, ["epoch", "lr", "train/loss"]),
        (19, ["epoch", "val/acc", "val/loss"]),
        (19, ["epoch", "train/acc", "train/epoch_loss"]),
    ]


def test_logged_training_losses_average_to_those_of_the_epochs() -> None:
    rows = logged(log_every_n_steps=5)
    by_step = [metrics["train/loss"] for _, metrics in rows if "train/loss" in metrics]
    by_epoch = [metrics["train/epoch_loss"] for _, metrics in rows if "train/epoch_loss" in metrics]
    assert [(by_step[0] + by_step[1]) / 2, (by_step[2] + by_step[3]) / 2] == pytest.approx(by_epoch)


def test_an_accumulated_step_logs_the_loss_of_all_its_batches() -> None:
    rows = logged(log_every_n_steps=5, accumulate_grad_batches=2, max_epochs=1)
    by_step = [metrics["train/loss"] for _, metrics in rows if "train/loss" in metrics]
    assert by_step == pytest.approx([metrics["train/epoch_loss"] for _, metrics in rows if "train/acc" in metrics])


def test_lightnings_finetuning_freezes_the_backbone() -> None:
    data = synthetic()
    model = small(data, optimizer=partial(torch.optim.SGD, lr=0.1))
    before = {name: value.clone() for name, value in model.net.state_dict().items()}
    trained(model, data, callbacks=[BackboneFinetuning(unfreeze_backbone_at_epoch=99)])
    after = model.net.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head"}


def test_a_model_built_in_python_reloads_without_code(tmp_path: Path) -> None:
    data = synthetic()
    model = small(data, lr_scheduler=partial(lr_scheduler.StepLR, step_size=1))
    trainer = trained(model, data)
    trainer.save_checkpoint(tmp_path / "x.ckpt")
    content = torch.load(tmp_path / "x.ckpt", weights_only=True)
    assert content["hyper_parameters"] == {
        "net": {"class_path": "classifiers.models.mlp.MLP",
                "init_args": {"in_channels": 1, "image_size": 16, "num_classes": 4, "hidden": [8]}},
        "lr_scheduler": {"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"step_size": 1}},
        "class_names": list(data.class_names), "mean": list(data.mean), "std": list(data.std),
        "image_shape": list(data.image_shape), "resize": "squash",
        "_class_path": "classifiers.classifier.ImageClassifier",
        "_instantiator": "lightning.pytorch.cli.instantiate_module",
    }  # fmt: skip
    images, _ = data.load(train=False)
    for net in ({"net": MLP(1, 16, 4, hidden=[8])}, {}):
        again = ImageClassifier.load_from_checkpoint(tmp_path / "x.ckpt", **net)
        assert torch.equal(again.eval()(images), model.eval()(images))
        assert again.class_names == data.class_names


def test_a_net_made_by_hand_has_to_be_given_again(tmp_path: Path) -> None:
    data = synthetic()
    net = nn.Sequential(nn.Flatten(), nn.Linear(256, 4))
    model = ImageClassifier.for_data(net, data)
    trained(model, data).save_checkpoint(tmp_path / "x.ckpt")
    with pytest.raises(
        UserError, match=r"x\.ckpt doesn't hold its net, which was made by hand: in Python, ImageClassifier"
    ):
        load_classifier(tmp_path / "x.ckpt")
    again = load_classifier(tmp_path / "x.ckpt", "cpu", net=nn.Sequential(nn.Flatten(), nn.Linear(256, 4)))
    assert again.class_names == data.class_names
    assert torch.equal(again.state_dict()["net.1.weight"], model.state_dict()["net.1.weight"])


def test_channels_last_changes_the_layout_and_not_the_logits() -> None:
    torch.manual_seed(0)
    net = ConvNet(3, 16, 4, widths=(4, 8)).eval()
    images = torch.randint(256, (2, 3, 16, 16), dtype=torch.uint8)
    expected = ImageClassifier(net)(images)
    model = ImageClassifier(net, channels_last=True)
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in net.parameters() if p.ndim == 4)
    assert torch.allclose(model(images), expected, atol=1e-5)
    assert math.isfinite(expected.sum().item())


def test_average_flips_evaluates_each_image_and_its_mirror_image() -> None:
    torch.manual_seed(0)
    net = ConvNet(3, 16, 4, widths=(4, 8)).eval()
    images = torch.randint(256, (2, 3, 16, 16), dtype=torch.uint8)
    plain = ImageClassifier(net).eval()
    expected = (plain(images) + plain(images.flip(3))) / 2
    model = ImageClassifier(net, average_flips=True)
    assert torch.equal(model.eval()(images), expected)
    assert torch.equal(model(images.flip(3)), expected)
    single = model.train()(images)
    assert torch.equal(single, plain.train()(images))
