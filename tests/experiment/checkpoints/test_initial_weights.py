from pathlib import Path

import pytest
import torch

from classifiers.experiment.checkpoints.initial_weights import init_weights
from classifiers.models import MLP
from tests.experiment.checkpoints.test_reading import saved


def test_init_weights_does_not_mind_the_settings_of_strangers(tmp_path: Path) -> None:
    net = MLP(1, 4, 2)
    state = {f"net.{name}": value for name, value in net.state_dict().items()}
    init_weights(net, saved(tmp_path / "x.ckpt", {"state_dict": state, "hyper_parameters": {"note": "see a.b: c"}}))


@pytest.mark.parametrize("prefix", ["net.", ""])
def test_init_weights_takes_what_fits(tmp_path: Path, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = MLP(1, 4, 2, hidden=[8]), MLP(1, 4, 5, hidden=[8])
    head = new.head.weight.clone()  # type: ignore[union-attr, operator]
    weights = {prefix + name: value for name, value in old.state_dict().items()}
    path = saved(tmp_path / "x.ckpt", {"state_dict": weights} if prefix else weights)
    init_weights(new, path)
    assert torch.equal(new.backbone[1].weight, old.backbone[1].weight)  # type: ignore[index]
    assert torch.equal(new.head.weight, head)  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines() == [
        f"Loaded 2 of 4 tensors from {path}",
        "  not loaded from it: head.bias, head.weight",
        "  newly initialised: head.bias, head.weight",
    ]


def test_weights_of_a_net_of_other_classes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = MLP(1, 4, 2)
    state = {f"net.{name}": value for name, value in net.state_dict().items()}
    path = saved(tmp_path / "x.ckpt", {"state_dict": state, "hyper_parameters": {"class_names": ["cat", "dog"]}})
    init_weights(net, path, ("cat", "dog"))
    assert "beware" not in capsys.readouterr().out
    init_weights(net, path, ("dog", "cat"))
    assert "  beware: it was trained on other classes: class 0 was cat and is dog" in capsys.readouterr().out
