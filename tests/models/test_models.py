"""The contract, over every net that the package exports."""

from typing import Any

import pytest
import torch
from torch import nn

from classifiers import models
from classifiers.experiment.errors import UserError
from classifiers.models import ConvNet, LeNet, Net, PretrainedNet

NETS = [net for net in vars(models).values() if isinstance(net, type) and issubclass(net, nn.Module) and net is not Net]
GIVEN: dict[type, dict[str, Any]] = {PretrainedNet: {"name": "mobilenet_v3_small", "weights": None}}


def test_the_zoo() -> None:
    assert {net.__name__ for net in NETS} >= {"LeNet", "MLP", "ConvNet", "ResNet"}


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
@pytest.mark.parametrize("net_class", NETS)
def test_contract(net_class: type[nn.Module], channels: int, size: int) -> None:
    torch.manual_seed(0)
    net = net_class(channels, size, 7, **GIVEN.get(net_class, {}))  # type: ignore[call-arg, arg-type]
    for batch_size in (1, 2, 5):
        net.eval()
        assert net(torch.randn(batch_size, channels, size, size)).shape == (batch_size, 7)
    net.train()
    logits = net(torch.randn(4, channels, size, size))
    assert logits.isfinite().all()
    logits.logsumexp(1).sum().backward()
    without_gradient = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without_gradient == []


@pytest.mark.parametrize(
    ("channels", "size", "arguments", "parameters"),
    [
        (1, 28, {}, 44_426),  # garment
        (3, 32, {}, 62_006),  # lenet_cifar10
        (1, 28, {"channels": (6, 12), "hidden": (120, 60)}, 32_998),  # pipeline
    ],
)
def test_lenet_is_that_of_the_tutorials(channels: int, size: int, arguments: dict, parameters: int) -> None:
    net = LeNet(channels, size, 10, **arguments)
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


def test_lenet_refuses_small_images() -> None:
    with pytest.raises(UserError, match="at least 16 x 16 pixels, not 12 x 12"):
        LeNet(1, 12, 10)


def test_convnet_refuses_more_stages_than_its_images_have_pixels_for() -> None:
    with pytest.raises(UserError, match="ConvNet halves its images 5 times: 28 x 28 is too small"):
        ConvNet(1, 28, 10, widths=[4] * 5)


def test_convnet_with_a_stem_sees_two_by_two_patches_first() -> None:
    net = ConvNet(3, 16, 10, widths=[8], stem=24)
    assert net.backbone[0].weight.shape == (24, 3, 2, 2)
    assert net(torch.rand(2, 3, 16, 16)).shape == (2, 10)


def test_resnet_20_has_its_published_size() -> None:
    # He et al. count 0.27 M; the 1 × 1 shortcuts add 2,752 weights and norms
    assert sum(p.numel() for p in models.ResNet(3, 32, 10).parameters()) == 269_722 + 2_752
