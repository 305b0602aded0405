import pytest
import torch
from torch import nn

from classifiers.muon import MuonSGD, orthogonal


@pytest.mark.parametrize("shape", [(16, 40), (40, 16), (16, 16)])
def test_singular_values_come_to_lie_about_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    found = orthogonal(torch.randn(shape), steps=8)
    values = torch.linalg.svdvals(found)
    assert found.shape == shape
    assert 0.6 < values.min() <= values.max() < 1.3


def test_a_convolution_steps_by_an_orthogonal_matrix_from_a_fixed_norm() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 8, 3, bias=False)
    before = layer.weight.detach().clone()
    layer.weight.grad = torch.randn_like(layer.weight)
    MuonSGD(layer.parameters(), lr=0.1).step()
    expected = before * 8**0.5 / before.norm() - 0.1 * orthogonal(1.6 * layer.weight.grad.flatten(1)).view_as(before)
    torch.testing.assert_close(layer.weight.detach(), expected)


def test_the_rest_is_left_to_sgd() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(4, 3), nn.Linear(4, 3)
    theirs.load_state_dict(ours.state_dict())
    muon = MuonSGD(ours.parameters(), lr=0.1, weight_decay=0.01)
    sgd = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.85, nesterov=True, weight_decay=0.01)
    images = torch.randn(5, 4)
    for _ in range(3):
        for layer, optimizer in ((ours, muon), (theirs, sgd)):
            optimizer.zero_grad()
            layer(images).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(list(ours.parameters()), list(theirs.parameters()))
