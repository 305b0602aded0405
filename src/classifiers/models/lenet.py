"""LeNet-5's shape with ReLU and max pooling, as PyTorch's tutorials train it."""

from collections.abc import Sequence

from torch import nn

from classifiers.experiment.errors import UserError
from classifiers.models.mlp import perceptron
from classifiers.models.net import Net


class LeNet(Net):
    """Two 5 × 5 convolutions, each halved by a pool, then fully connected layers.

    After LeCun et al., "Gradient-based learning applied to document recognition" (1998).

    Args:
        channels: outputs of the two convolutions.
        hidden: widths of the fully connected layers before the head.

    Raises:
        UserError: images smaller than 16 × 16.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        num_classes: int,
        channels: tuple[int, int] = (6, 16),
        hidden: Sequence[int] = (120, 84),
    ) -> None:
        if image_size < 16:
            raise UserError(f"LeNet needs images of at least 16 x 16 pixels, not {image_size} x {image_size}")
        first, second = channels
        side = ((image_size - 4) // 2 - 4) // 2
        convolutions = nn.Sequential(
            nn.Conv2d(in_channels, first, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        layers, head = perceptron(second * side * side, hidden, num_classes)
        super().__init__(nn.Sequential(*convolutions, nn.Flatten(), *layers), head)
