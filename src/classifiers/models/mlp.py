"""A multilayer perceptron."""

from collections.abc import Sequence

from torch import nn

from classifiers.models.net import Net


class MLP(Net):
    """Fully connected layers with ReLU over the flattened pixels.

    The default is the net of PyTorch's tutorial "Optimizing Model Parameters".

    Args:
        hidden: widths of the layers before the head.
    """

    def __init__(self, in_channels: int, image_size: int, num_classes: int, hidden: Sequence[int] = (512, 512)) -> None:
        layers, head = perceptron(in_channels * image_size * image_size, hidden, num_classes)
        super().__init__(nn.Sequential(nn.Flatten(), *layers), head)


def perceptron(features: int, hidden: Sequence[int], num_classes: int) -> tuple[list[nn.Module], nn.Linear]:
    """The hidden layers over `features` inputs, each with its ReLU, and the linear head that follows them."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(features, width), nn.ReLU()]
        features = width
    return layers, nn.Linear(features, num_classes)
