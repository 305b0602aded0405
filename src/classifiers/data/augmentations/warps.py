"""Images turned and enlarged, all of a batch by one sampling."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from classifiers.data.augmentations.augmentation import Augmentation, require_range, uniform


class RandomResizedCrop(Augmentation):
    """Enlarge a random box of each image to the whole, by bilinear interpolation.

    After Szegedy et al., "Going deeper with convolutions" (2014), section 6.

    Args:
        scale: the box's share of the image's area, from one to the other.
        ratio: its width by its height; their logarithms are drawn alike. What doesn't fit is drawn anew, ten times.
    """

    def __init__(self, scale: tuple[float, float] = (0.08, 1.0), ratio: tuple[float, float] = (3 / 4, 4 / 3)) -> None:
        self.scale, self.ratio = scale, ratio
        require_range("RandomResizedCrop's scale", scale, 0, 1)
        require_range("RandomResizedCrop's ratio", ratio, 0.01, 100)

    def __call__(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        area = uniform(images, *self.scale, tries=10)
        ratio = uniform(images, math.log(self.ratio[0]), math.log(self.ratio[1]), tries=10).exp() * height / width
        across, down = (area * ratio).sqrt(), (area / ratio).sqrt()  # of the box, as shares of the image
        fitting = ((across <= 1) & (down <= 1)).int().argmax(1, keepdim=True)  # the first that fits
        across, down = (side.gather(1, fitting).clamp(max=1) for side in (across, down))
        right, below = ((1 - side) * uniform(images, -1, 1) for side in (across, down))
        zero = torch.zeros_like(across)
        return warped(images, (across, zero, right), (zero, down, below))


class RandomRotation(Augmentation):
    """Turn each image by up to `degrees`, in [0, 180], either way; what enters at the border mirrors the image."""

    def __init__(self, degrees: float = 15.0) -> None:
        self.degrees = degrees
        require_range("RandomRotation's degrees", degrees, 0, 180)

    def __call__(self, images: Tensor) -> Tensor:
        return rotated(images, uniform(images, -self.degrees, self.degrees), "reflection")


Row = tuple[Tensor, Tensor, Tensor]  # each (B, 1): what x, y and 1 count for, where the image is from -1 to 1


def rotated(images: Tensor, degrees: Tensor, border: str) -> Tensor:
    """Each image turned counter-clockwise by its `degrees` `(B, 1)`."""
    height, width = images.shape[-2:]
    turn = degrees.deg2rad()
    zero, cos, sin = torch.zeros_like(turn), turn.cos(), turn.sin()
    return warped(images, (cos, -sin * height / width, zero), (sin * width / height, cos, zero), border)


def warped(images: Tensor, x: Row, y: Row, border: str = "border") -> Tensor:
    """Uint8 images `(B, C, H, W)`, each pixel from the place `x`, `y` of its image, affine in its own; `border` says
    what is outside, as of `grid_sample`.
    """
    matrices = torch.stack([torch.cat(x, 1), torch.cat(y, 1)], 1)  # (B, 2, 3)
    places = F.affine_grid(matrices, [*images.shape], align_corners=False)
    return F.grid_sample(images.float(), places, "bilinear", border, align_corners=False).round().to(images.dtype)
