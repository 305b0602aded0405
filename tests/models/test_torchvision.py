"""torchvision's nets by their class_path, from torchvision's weights."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from PIL import Image
from torchvision.models.resnet import BasicBlock

from tests.conftest import Cli, Script

NETS: dict[str, dict[str, Any]] = {
    "MobileNetV2": {"width_mult": 0.25},
    "ResNet": {"block": BasicBlock, "layers": [1, 1, 1, 1]},
    "VisionTransformer": {"patch_size": 4, "num_layers": 1, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 8},
}


@pytest.mark.parametrize("name", NETS)
def test_a_net_starts_from_the_weights_of_another_head_and_predicts(
    name: str, fit: Cli, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"image_size": 16} if name == "VisionTransformer" else {}  # which the data module fills in
    weights = getattr(torchvision.models, name)(**NETS[name], **sizes).state_dict()
    torch.save(weights, "weights.pth")
    net = [f"--model.net.{key}={f'{value.__module__}.{value.__name__}' if isinstance(value, type) else value}"
           for key, value in NETS[name].items()]  # fmt: skip
    data = ["--data.in_channels=3", "--data.train_size=100", "--data.test_size=20", "--trainer.max_epochs=1"]
    run = fit(*data, f"--model.net=torchvision.models.{name}", *net, "--init_weights=weights.pth")
    loaded, head, fresh = capsys.readouterr().out.splitlines()[:3]
    assert loaded == f"Loaded {len(weights) - 2} of {len(weights)} tensors from weights.pth"
    assert head.replace("not loaded from it", "newly initialised") == fresh
    assert (
        "Unable to serialize" not in (run / "config.yaml").read_text()
    )  # as what a default may be, and is then left out
    Image.new("RGB", (20, 30)).save("x.png")
    assert "pattern" in script("predict.py", str(run / "checkpoints/best.ckpt"), "x.png")


def test_a_function_that_makes_a_net_is_refused(fails: Callable[..., str]) -> None:
    assert "torchvision.models.resnet18" in fails("fit", "--model.net=torchvision.models.resnet18")
