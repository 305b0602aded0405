"""What a net sees of an image."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from classifiers.experiment.errors import UserError


class Normalisation(nn.Module):
    """Maps uint8 images `(B, C, H, W)` to floats, each channel's mean taken out and divided by its deviation.

    Args:
        mean: of each channel, in [0, 1].
        std: of each channel, in [0, 1].
        memory_format: of the floats.

    Raises:
        UserError: images of another type.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], memory_format: torch.memory_format) -> None:
        super().__init__()
        self.memory_format = memory_format
        self.register_buffer("scale", 1 / (255 * torch.tensor(std)).view(-1, 1, 1), persistent=False)
        self.register_buffer("shift", -(torch.tensor(mean) / torch.tensor(std)).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        if images.dtype != torch.uint8:
            cure = "give uint8, or fit ArrayDataModule.from_dataset(your_dataset)"
            raise UserError(f"the images of a batch are {images.dtype}, whose range is unknown: {cure}")
        return (images * self.scale + self.shift).contiguous(memory_format=self.memory_format)
