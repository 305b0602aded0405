from collections.abc import Callable
from functools import partial

import pytest
import torch
import torchvision
from torch import nn

from classifiers import MLP, ConvNet, ImageClassifier, LeNet, ResNet, UserError
from classifiers.inference.grad_cam import heat


def images(count: int, channels: int = 1, size: int = 16) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, channels, size, size), dtype=torch.uint8, generator=draw)


def classifier(net: nn.Module, channels: int = 1, size: int = 16) -> ImageClassifier:
    return ImageClassifier(net, image_shape=(channels, size, size)).eval()


@pytest.mark.parametrize("frozen", [False, True])
def test_over_an_average_pool_it_is_the_class_activation_map(frozen: bool) -> None:
    torch.manual_seed(0)
    net = ResNet(1, 16, 3, widths=(4, 8), blocks=1)
    model, given, classes = classifier(net), images(5), torch.tensor([0, 2, 1, 1, 0])
    net.requires_grad_(not frozen)
    with torch.no_grad():
        maps = net.backbone[:-2](model.normalise(given))  # without pool and Flatten
        expected = (maps * net.head.weight[classes][:, :, None, None]).sum(1, keepdim=True).relu()
    expected = nn.functional.interpolate(expected / expected.amax((2, 3), keepdim=True), (16, 16), mode="bilinear")
    found = heat(model, given, classes)
    assert found.shape == (5, 16, 16)
    assert torch.allclose(found, expected[:, 0], atol=1e-5)
    one = torch.cat([heat(model, given[[at]], classes[[at]]) for at in range(5)])
    assert torch.allclose(found, one, atol=1e-5)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_it_is_where_the_class_is() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([1.0, -1.0])[:, None, None, None]
        net[0].bias[:] = torch.tensor([0.0, 1.0])
        net[4].weight[:] = torch.eye(2)
    given = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    given[0, 0, 2, 5] = 255
    bright, dark = (heat(classifier(net, size=8), given, torch.tensor([label]))[0] for label in (0, 1))
    assert torch.allclose(bright, given[0, 0] / 255)
    assert torch.allclose(dark, 1 - bright)


@pytest.mark.parametrize("kind", [partial(ConvNet, widths=(4, 8)), LeNet], ids=["ConvNet", "LeNet"])
def test_own_nets(kind: Callable[..., nn.Module]) -> None:
    torch.manual_seed(0)
    found = heat(classifier(kind(1, 16, 3)), images(20), torch.arange(20) % 3)
    assert found.amin() >= 0
    assert 0.5 < found.amax() <= 1  # scaled to 1, then interpolated


def test_what_speaks_against_the_class_is_dropped() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    nn.init.constant_(net[4].weight, -1.0)
    assert heat(classifier(net), images(1), torch.tensor([0])).unique().tolist() == [0.0]


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v3_small", "densenet121", "efficientnet_b0", "convnext_tiny", "vgg11"]
)
@pytest.mark.slow
def test_torchvisions_nets(name: str) -> None:
    torch.manual_seed(0)
    model = classifier(torchvision.models.get_model(name, num_classes=4), 3, 64)
    found = heat(model, images(2, 3, 64), torch.tensor([1, 3]))
    assert found.shape == (2, 64, 64)
    assert found.unique().numel() > 10


NO_MAP = {
    "MLP": MLP(1, 16, 3, hidden=[8]),
    "VisionTransformer": torchvision.models.VisionTransformer(16, 4, 1, 2, 8, 8, num_classes=3),
    "SwinTransformer": torchvision.models.swin_transformer.SwinTransformer([2, 2], 8, [2], [2], [4, 4], num_classes=3),
}


@pytest.mark.parametrize("name", NO_MAP)
def test_a_net_without_a_feature_map_is_one_line(name: str) -> None:
    channels = 1 if name == "MLP" else 3
    with pytest.raises(UserError, match=rf"^{name} makes no feature map \(B, C, h, w\), "):
        heat(classifier(NO_MAP[name], channels), images(1, channels), torch.tensor([0]))
