import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from classifiers import ImageClassifier
from classifiers.experiment.checkpoints.reading import read_checkpoint, require_fit
from classifiers.experiment.command.rebuild import rebuild
from classifiers.experiment.errors import UserError
from classifiers.models import MLP
from tests import small_models


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def rebuilt(path: Path) -> ImageClassifier:
    return rebuild(ImageClassifier, read_checkpoint(path), path)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "antigravity.SGD"},
        {"loss": "antigravity.Loss"},
        {"loss": '{"class_path": "\\u0061ntigravity.Loss"}'},
        {"lr_scheduler": ["class_path: antigravity.StepLR"]},
        {"net": {"class_path": "classifiers.MLP", "init_args": {"hidden": "antigravity.__class__"}}},
        {"_instantiator": "antigravity.make"},
    ],
)
def test_no_string_of_the_settings_is_imported(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"names .*ntigravity.*, which is no imported net, loss"):
        rebuilt(small_models.saved(tmp_path / "x.ckpt", **settings))
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "settings",
    [
        {"net": 3},
        {"optimizer": {"class_path": "torch.nn.Identity"}},
        {"mean": "high"},
    ],
)
def test_a_model_that_cannot_be_built_is_one_line(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^the model of .*x\.ckpt can't be built: .{10}"):
        rebuilt(small_models.saved(tmp_path / "x.ckpt", **settings))
    assert [path.name for path in tmp_path.iterdir()] == ["x.ckpt"]


def test_settings_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no checkpoint, or a damaged one"):
        read_checkpoint(saved(tmp_path / "x.ckpt", {"state_dict": {}, "hyper_parameters": 3}))


def test_a_checkpoint_of_plain_python_says_how_to_load_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ImageClassifier\.load_from_checkpoint\(path, net=net\) loads it$"):
        rebuilt(saved(tmp_path / "x.ckpt", {"state_dict": {}, "hyper_parameters": {"mean": [0.5]}}))


def test_weights_of_another_net_are_named() -> None:
    with pytest.raises(UserError) as error:
        require_fit({"state_dict": MLP(1, 4, 2).state_dict()}, MLP(1, 4, 3), "x.ckpt")
    assert str(error.value) == "x.ckpt is of another net: head.bias is (2,) there and (3,) here"
    with pytest.raises(UserError, match=r"backbone\.5\.bias|backbone\.3\.bias is absent there and \(512,\) here"):
        require_fit({"state_dict": MLP(1, 4, 2, hidden=[512]).state_dict()}, MLP(1, 4, 2), "x.ckpt")


def test_weights_of_the_same_net_fit() -> None:
    require_fit({"state_dict": MLP(1, 4, 2).state_dict()}, MLP(1, 4, 2), "x.ckpt")
