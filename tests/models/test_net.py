import pytest
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from classifiers.experiment.errors import UserError
from classifiers.models import LeNet
from classifiers.models.net import backbone_of


def test_the_backbone_of_a_net_of_the_contract_is_its_own() -> None:
    net = LeNet(1, 28, 10)
    assert backbone_of(net) is net.backbone


def test_that_of_another_is_all_beside_its_last_linear_layer() -> None:
    resnet = torchvision.models.ResNet(BasicBlock, [1, 1, 1, 1])
    frozen = {id(value) for value in backbone_of(resnet).parameters()}
    left = [name for name, value in resnet.named_parameters() if id(value) not in frozen]
    assert left == ["fc.weight", "fc.bias"]
    vgg = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4)))
    frozen = {id(value) for value in backbone_of(vgg).parameters()}
    assert [name for name, value in vgg.named_parameters() if id(value) not in frozen] == ["1.2.weight", "1.2.bias"]


def test_a_net_without_a_linear_layer_has_none() -> None:
    with pytest.raises(UserError, match=r"^Sequential has neither a backbone nor a linear layer"):
        backbone_of(nn.Sequential(nn.Conv2d(1, 2, 3)))
