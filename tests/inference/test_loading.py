import sys
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from classifiers import ImageClassifier
from classifiers.data.image_dataset import TO_MODEL
from classifiers.experiment.errors import UserError
from classifiers.inference.loading import ONLY_TO_TRAIN, load_classifier
from tests.small_models import saved

NETS = """
from classifiers import MLP


class TinyNet(MLP):
    pass
"""
TINY = {"in_channels": 1, "image_size": 16, "num_classes": 4, "hidden": [8]}


@pytest.fixture(autouse=True)
def _nets(tmp_path: Path) -> Iterator[None]:
    """A module in the current folder that nothing has imported."""
    (tmp_path / "nets_to_load.py").write_text(NETS)
    yield
    sys.modules.pop("nets_to_load", None)


def of_own_class(path: Path, class_path: str = "nets_to_load.TinyNet", **settings: Any) -> Path:
    return saved(path, net={"class_path": class_path, "init_args": TINY}, **settings)


def logits(model: ImageClassifier) -> Tensor:
    images = torch.arange(3 * 256).view(3, 1, 16, 16).to(torch.uint8)
    with torch.inference_mode():
        return model(images)  # type: ignore[no-any-return]


def test_a_classifier_is_loaded_ready_to_predict(tmp_path: Path) -> None:
    model = load_classifier(saved(tmp_path / "x.ckpt"), "cpu")
    assert not model.training
    assert model.image_shape == (1, 16, 16)
    assert model.class_names == ("pattern 0", "pattern 1", "pattern 2", "pattern 3")


@pytest.mark.parametrize("settings", [{"image_shape": None}, {"class_names": []}])
def test_a_checkpoint_that_does_not_say_enough(settings: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"x\.ckpt doesn't hold its image_shape and class_names, as older ones don't"):
        load_classifier(saved(tmp_path / "x.ckpt", **settings))


@pytest.mark.parametrize("device", ["gpu", "cuda:77", "xpu"])
def test_a_device_that_is_not_there(device: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^there is no device {device} here: --device auto works anywhere$"):
        load_classifier(saved(tmp_path / "x.ckpt"), device)


UNKNOWN = {"class_path": "unknown_module.Mine", "init_args": {}}


@pytest.mark.parametrize("name", ["optimizer", "lr_scheduler", "loss", "compile"])
def test_what_only_training_needs_may_be_of_any_class(name: str, tmp_path: Path) -> None:
    expected = logits(load_classifier(saved(tmp_path / "x.ckpt"), "cpu"))
    model = load_classifier(saved(tmp_path / "x.ckpt", **{name: UNKNOWN}), "cpu")
    assert torch.equal(logits(model), expected)
    with pytest.raises(UserError, match=r"names unknown_module\.Mine, .*: if you trust it, import or define it first$"):
        ImageClassifier.load_from_checkpoint(tmp_path / "x.ckpt")


def test_weights_of_a_loss_are_left_out(tmp_path: Path) -> None:
    expected = logits(load_classifier(saved(tmp_path / "x.ckpt"), "cpu"))
    content = torch.load(tmp_path / "x.ckpt", weights_only=True)
    content["state_dict"]["loss.weight"] = torch.ones(4)
    torch.save(content, tmp_path / "x.ckpt")
    assert torch.equal(logits(load_classifier(tmp_path / "x.ckpt", "cpu")), expected)


def test_it_is_known_of_every_setting_whether_only_training_needs_it() -> None:
    needed = {"net", "channels_last", "average_flips", "class_weights", *TO_MODEL}
    assert {*signature(ImageClassifier).parameters} - needed == ONLY_TO_TRAIN


def test_a_net_of_ones_own_is_trusted_by_its_path(tmp_path: Path) -> None:
    path = of_own_class(tmp_path / "x.ckpt")
    with pytest.raises(
        UserError, match=r"names nets_to_load\.TinyNet, .*: if you trust it, import or define it first$"
    ):
        load_classifier(path)
    assert "nets_to_load" not in sys.modules
    model = load_classifier(path, "cpu", trusted=["nets_to_load.TinyNet"])
    assert type(model.net).__module__ == "nets_to_load"
    assert torch.equal(logits(model), logits(load_classifier(saved(tmp_path / "x.ckpt"), "cpu")))
    assert str(tmp_path) not in sys.path


def test_a_net_of_a_notebook_is_found_in_another_module(tmp_path: Path) -> None:
    path = of_own_class(tmp_path / "x.ckpt", "__main__.TinyNet", class_names=["a", "b", "__main__.TinyNet", "d"])
    with pytest.raises(
        UserError, match=r"names __main__\.TinyNet, .*: if you trust it, name it with --net MODULE\.TinyNet$"
    ):
        load_classifier(path, cure="name it with --net {}")
    model = load_classifier(path, "cpu", trusted=["nets_to_load.TinyNet"])
    assert type(model.net).__module__ == "nets_to_load"
    assert model.class_names == ("a", "b", "__main__.TinyNet", "d")


@pytest.mark.parametrize(
    ("trusted", "line"),
    [
        ("TinyNet", r"TinyNet can't be imported \(Empty module name\): give MODULE\.CLASS, where MODULE\.py is in "),
        ("no_nets.TinyNet", r"no_nets\.TinyNet can't be imported \(No module named 'no_nets'\): give MODULE\.CLASS, "),
        ("nets_to_load.Net", r"nets_to_load\.Net can't be imported \(module 'nets_to_load' has no attribute 'Net'\): "),
        ("classifiers.LeNet", r".*x\.ckpt names no LeNet: leave classifiers.LeNet out$"),
    ],
)
def test_a_class_that_is_not_there_or_not_needed(trusted: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^{line}"):
        load_classifier(saved(tmp_path / "x.ckpt"), trusted=[trusted])


@pytest.mark.parametrize("settings", [[("net", 3)], {3: "net"}])
def test_settings_that_are_no_map_of_names(settings: object, tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "hyper_parameters": settings}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="is no checkpoint, or a damaged one$"):
        load_classifier(tmp_path / "x.ckpt")
