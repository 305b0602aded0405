from collections.abc import Callable
from pathlib import Path

import pytest

Fails = Callable[..., str]
FASHION_MNIST = "classifiers.FashionMNISTDataModule"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--model.optimzer.lr 3", "unknown option --model.optimzer.lr: did you mean --model.optimizer?"),
        ("--trainer.max_epoch 3", "unknown option --trainer.max_epoch: did you mean --trainer.max_epochs?"),
        ("--zzz", "unknown option --zzz: see --help"),
        ("--model.optimizer.lr abc", "model.optimizer.lr: expected float or Tensor, not 'abc'"),
        ("--trainer.max_epochs 0.5", "trainer.max_epochs: expected int, not '0.5'"),
        ("--data.val_size x", "data.val_size: expected int or float, not 'x'"),
        ("--model.channels_last 3", "model.channels_last: expected bool, not '3'"),
        ("--model.net.widths 3", "model.net.widths: expected Sequence, not '3'"),
        ("--model.loss.weight x", "model.loss.weight: expected Tensor, not 'x'"),
        ("--model.net LeNett", "model.net: there is no class LeNett: did you mean LeNet?"),
        ("--model.net torchvision.models.Foo", "model.net: there is no class torchvision.models.Foo: see --help"),
        ("--model.net nowhere.LeNett", "model.net: there is no class nowhere.LeNett: did you mean LeNet?"),
        ("--data FashionMNIST", "data: there is no class FashionMNIST: did you mean FashionMNISTDataModule?"),
        (
            "--data.batchsize 3",
            f"data: {FASHION_MNIST} has no option batchsize: did you mean batch_size?",
        ),
        (
            "--trainer.callbacks EarlyStop",
            "trainer.callbacks: there is no class EarlyStop: did you mean EarlyStopping?",
        ),
        ("--model.lr_scheduler_interval day", "model.lr_scheduler_interval: expected 'epoch', 'step', not 'day'"),
        ("--model.net.width 3", "model.net: classifiers.ConvNet has no option width: did you mean widths?"),
        (
            "--model.lr_scheduler ReduceLROnPlateau",
            "model.lr_scheduler: Multiple subclasses with name ReduceLROnPlateau. Give the full class path to avoid "
            "ambiguity: torch.optim.lr_scheduler.ReduceLROnPlateau, lightning.pytorch.cli.ReduceLROnPlateau.",
        ),
    ],
)
def test_a_wrong_argument(fails: Fails, arguments: str, line: str) -> None:
    assert fails("fit", "--model.optimizer", "SGD", *arguments.split()) == f"error: {line}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("modle:\n  net: LeNet\n", "unknown key modle.net: did you mean model.net?"),
        ("model:\n  optimizr: SGD\n", "unknown key model.optimizr: did you mean model.optimizer?"),
        ("- a\n- b\n", "a config file must be a map of sections such as data, model and trainer"),
        ("", "a config file must be a map of sections such as data, model and trainer"),
        ("data: 3\n", "data: expected a class_path with its init_args, not 3"),
        ("model: {net: [1]}\n", "model.net: expected a class_path with its init_args, not [1]"),
        ("trainer: [1]\n", "Problems parsing config: trainer must be a map of options, not [1]"),
        ("trainer: {max_epochs: [1]}\n", "trainer.max_epochs: expected int, not '[1]'"),
        (
            "trainer:\n  callbacks: [{class_path: EarlyStoping, init_args: {monitor: val/loss}}]\n",
            "trainer.callbacks: there is no class EarlyStoping: did you mean EarlyStopping?",
        ),
        (
            "data:\n  class_path: FashionMNISTDataModule\n  init_args: {augmentations: [{class_path: RandomCropp}]}\n",
            "data.augmentations: there is no class RandomCropp: did you mean RandomCrop?",
        ),
    ],
)
def test_a_wrong_config(fails: Fails, tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert fails("fit", "--config", str(tmp_path / "x.yaml")) == f"error: {line}"


def test_a_missing_config_names_its_neighbours(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "lenet.yaml").touch()
    (tmp_path / "other.yaml").touch()
    line = fails("fit", "--config", str(tmp_path / "lenett.yaml"))
    assert line == f"error: there is no file {tmp_path}/lenett.yaml: near it is lenet.yaml"
