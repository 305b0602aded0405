"""A small modern convolutional net."""

from collections.abc import Sequence

from torch import nn

from classifiers.experiment.errors import UserError
from classifiers.models.net import Net


class ConvNet(Net):
    """Stages of 3 × 3 convolutions with batch norm and ReLU, each halved by a max pool; a global max pool, a head.

    Args:
        widths: channels of each stage; the number of stages is theirs.
        depth: convolutions in each stage, the first one before the pool.
        stem: filters of a 2 × 2 convolution with ReLU before the stages, as `WhitenFirstConvolution` wants it; 0: none.
        dropout: share of the pooled features that training drops.

    Raises:
        UserError: images too small to be halved that often.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        num_classes: int,
        widths: Sequence[int] = (32, 64, 128),
        depth: int = 2,
        stem: int = 0,
        dropout: float = 0.0,
    ) -> None:
        if image_size - bool(stem) < 2 ** len(widths):
            raise UserError(f"ConvNet halves its images {len(widths)} times: {image_size} x {image_size} is too small")
        layers: list[nn.Module] = [nn.Conv2d(in_channels, stem, 2, bias=False), nn.ReLU()] if stem else []
        channels = stem or in_channels
        for width in widths:
            for layer in range(depth):
                layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=False))
                if layer == 0:
                    layers.append(nn.MaxPool2d(2))
                layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
        side = (image_size - bool(stem)) // 2 ** len(widths)
        pool = [nn.MaxPool2d(side), nn.Flatten(), nn.Dropout(dropout)]
        super().__init__(nn.Sequential(*layers, *pool), nn.Linear(channels, num_classes))
