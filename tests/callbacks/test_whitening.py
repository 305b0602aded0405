import pytest
import torch
from torch import nn

from classifiers import ConvNet, ImageClassifier
from classifiers.callbacks import WhitenFirstConvolution
from classifiers.experiment.errors import UserError
from tests.small_models import small, synthetic, trained


def test_the_first_convolution_gives_uncorrelated_features_of_unit_variance_and_stays_so() -> None:
    data = synthetic(in_channels=3)
    net = ConvNet(3, 16, 4, widths=(8, 8), stem=24)
    model = ImageClassifier(net, mean=data.mean, std=data.std)
    trained(model, data, callbacks=[WhitenFirstConvolution()])
    stem = net.backbone[0]
    with torch.no_grad():
        features = stem(model.normalise(data.train_set.first(400)[0])).movedim(1, 3).flatten(0, 2)
    assert torch.equal(stem.weight[::2], -stem.weight[1::2])
    features = features[:, ::2]
    assert torch.allclose(features.T @ features / len(features), torch.eye(12), atol=0.1)
    assert not stem.weight.requires_grad


def test_fewer_filters_than_components_take_those_of_the_most_variance() -> None:
    data = synthetic()
    net = ConvNet(1, 16, 4, widths=(8, 8), stem=2)
    trained(ImageClassifier(net), data, callbacks=[WhitenFirstConvolution()])
    signs = net.backbone[0].weight[0].sign()
    assert signs.abs().sum() == abs(signs.sum()) == 4  # all of one sign: the mean of smooth patches


def test_a_net_without_convolution_is_refused() -> None:
    data = synthetic()
    with pytest.raises(UserError, match="whose first convolution"):
        trained(small(data), data, callbacks=[WhitenFirstConvolution()])


def test_a_first_convolution_in_groups_is_refused() -> None:
    data = synthetic(in_channels=2)
    net = nn.Sequential(nn.Conv2d(2, 2, 3, groups=2), nn.Flatten(), nn.Linear(2 * 14 * 14, 4))
    with pytest.raises(UserError, match="sees all channels"):
        trained(ImageClassifier(net), data, callbacks=[WhitenFirstConvolution()])
