from pathlib import Path
from typing import Any

import pytest
import torch

from classifiers.checkpoint import init_weights, require_fit
from classifiers.errors import UserError
from classifiers.models import MLP


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_weights_of_another_net_are_named() -> None:
    with pytest.raises(UserError) as error:
        require_fit({"state_dict": MLP(1, 4, 2).state_dict()}, MLP(1, 4, 3), "x.ckpt")
    assert str(error.value) == "x.ckpt is of another net: head.bias is (2,) there and (3,) here"
    with pytest.raises(UserError, match=r"backbone\.5\.bias|backbone\.3\.bias is absent there and \(512,\) here"):
        require_fit({"state_dict": MLP(1, 4, 2, hidden=[512]).state_dict()}, MLP(1, 4, 2), "x.ckpt")


def test_weights_of_the_same_net_fit() -> None:
    require_fit({"state_dict": MLP(1, 4, 2).state_dict()}, MLP(1, 4, 2), "x.ckpt")


@pytest.mark.parametrize("prefix", ["net.", ""])
def test_init_weights_takes_what_fits(tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    old, new = MLP(1, 4, 2, hidden=[8]), MLP(1, 4, 5, hidden=[8])
    head = new.head.weight.clone()  # type: ignore[union-attr, operator]
    weights = {prefix + name: value for name, value in old.state_dict().items()}
    path = saved(tmp_path / "x.ckpt", {"state_dict": weights} if prefix else weights)
    with caplog.at_level("INFO"):
        init_weights(new, path)
    assert torch.equal(new.backbone[1].weight, old.backbone[1].weight)  # type: ignore[index]
    assert torch.equal(new.head.weight, head)  # type: ignore[arg-type]
    assert [record.message for record in caplog.records] == [
        f"Loaded 2 of 4 tensors from {path}",
        "  not loaded from it: head.bias, head.weight",
        "  newly initialised: head.bias, head.weight",
    ]
