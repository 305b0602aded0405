"""The residual net for small images."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from classifiers.experiment.errors import UserError
from classifiers.models.net import Net


class ResNet(Net):
    """The CIFAR-10 ResNet: one 3 × 3 convolution, then stages of residual blocks, each at half the size of the last.

    After He et al., "Deep residual learning for image recognition" (2015), section 4.2; shortcuts between stages are
    1 × 1 convolutions.

    Args:
        widths: channels of each stage.
        blocks: residual blocks in each stage; 3 makes ResNet-20, 5 ResNet-32, 9 ResNet-56.

    Raises:
        UserError: no stage.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        num_classes: int,
        widths: Sequence[int] = (16, 32, 64),
        blocks: int = 3,
    ) -> None:
        if not widths:
            raise UserError("ResNet needs at least one stage: its widths are []")
        layers: list[nn.Module] = [convolution(in_channels, widths[0], 3), nn.ReLU(inplace=True)]
        channels = widths[0]
        for stage, width in enumerate(widths):
            for block in range(blocks):
                layers.append(ResidualBlock(channels, width, stride=2 if stage > 0 and block == 0 else 1))
                channels = width
        pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        super().__init__(nn.Sequential(*layers, *pool), nn.Linear(channels, num_classes))


class ResidualBlock(nn.Module):
    """`(B, in_channels, H, W)` → `(B, out_channels, H / stride, W / stride)`: two convolutions beside a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            convolution(in_channels, out_channels, 3, stride),
            nn.ReLU(inplace=True),
            convolution(out_channels, out_channels, 3),
        )
        same_shape = stride == 1 and in_channels == out_channels
        self.shortcut = nn.Identity() if same_shape else convolution(in_channels, out_channels, 1, stride)

    def forward(self, images: Tensor) -> Tensor:
        return F.relu(self.residual(images) + self.shortcut(images))


def convolution(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size (over `stride`), and its batch norm."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )
