"""Shifted and mirrored images."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from classifiers.data.augmentations.augmentation import Augmentation
from classifiers.experiment.errors import UserError


class RandomCrop(Augmentation):
    """Shift each image by up to `padding` pixels each way; what enters at the border mirrors the image.

    After He et al., "Deep residual learning for image recognition" (2015), section 4.2, where zeros enter.

    Raises:
        UserError: images no larger than that.
    """

    def __init__(self, padding: int = 4) -> None:
        self.padding = padding

    def __call__(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        if self.padding >= min(height, width):
            raise UserError(f"RandomCrop's padding is {self.padding}: it must be less than {min(height, width)} pixels")
        # reflection is not implemented for uint8
        padded = F.pad(images.half(), [self.padding] * 4, mode="reflect").to(images.dtype)
        windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # (B, C, 2p + 1, 2p + 1, H, W), a view
        row, column = torch.randint(2 * self.padding + 1, (2, len(images)), device=images.device)
        return windows[torch.arange(len(images), device=images.device), :, row, column]


class RandomHorizontalFlip(Augmentation):
    """Mirror each image left to right with probability `p`, in [0, 1]."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, images: Tensor) -> Tensor:
        flip = torch.rand(len(images), 1, 1, 1, device=images.device) < self.p
        return torch.where(flip, images.flip(3), images)
