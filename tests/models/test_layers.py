import pytest
import torchvision
from torch import nn

from classifiers import ConvNet, LeNet, Net, PretrainedNet, ResNet
from classifiers.models.layers import layers_of
from classifiers.models.net import backbone_of


@pytest.mark.parametrize(
    ("net", "sizes"),
    [
        (LeNet(1, 28, 10), [2, 2, 2, 2]),
        (ConvNet(1, 28, 10, widths=(4, 8), depth=1), [3, 3]),
        (ResNet(3, 32, 10, widths=(4, 8), blocks=1), [3, 6, 9]),
        (PretrainedNet(3, 32, 10, "resnet18", None), [3, 6, 6, 9, 6, 9, 6, 9, 6]),
        (torchvision.models.VisionTransformer(32, 4, 3, 2, 8, 8), [3, 12, 12, 14]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_blocks_are_layers_and_norms_are_of_those_before(net: nn.Module, sizes: list[int]) -> None:
    layers = layers_of(backbone_of(net))
    assert [len(layer) for layer in layers] == sizes
    assert {id(one) for layer in layers for one in layer} == {id(one) for one in backbone_of(net).parameters()}


def test_parameters_beside_all_parts_are_of_the_first_layer() -> None:
    backbone = nn.Module()
    backbone.token = nn.Parameter(nn.Linear(2, 2).weight)
    backbone.blocks = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    assert layers_of(Net(backbone, nn.Identity()).backbone)[0][0] is backbone.token


def test_a_backbone_without_parts_is_one_layer() -> None:
    assert layers_of(nn.Flatten()) == [[]]
