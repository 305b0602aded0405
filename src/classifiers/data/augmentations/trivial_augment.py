"""One of fourteen changes for each image, of any strength."""

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as v2

from classifiers.data.augmentations.augmentation import Augmentation, uniform
from classifiers.data.augmentations.colours import brightened, contrasted, saturated, sharpened
from classifiers.data.augmentations.warps import rotated, warped

Change = Callable[[Tensor, Tensor], Tensor]  # of images (B, C, H, W) and a strength for each (B, 1)


class TrivialAugment(Augmentation):
    """Change each image by one of fourteen ways that is drawn for it, with a strength that is: no settings to find.

    After Müller and Hutter, "TrivialAugment: tuning-free yet state-of-the-art data augmentation" (2021), their wide
    space, with strengths between their 31 too. Of a batch, each way has as many images as another, or one more.
    """

    def __call__(self, images: Tensor) -> Tensor:
        order = torch.rand(len(images), device=images.device).argsort()
        changed = torch.empty_like(images)
        ways = torch.randperm(len(CHANGES)).tolist()  # of the host, so that nothing waits for the device
        for way, chosen in zip(ways, order.tensor_split(len(CHANGES)), strict=True):
            change, low, high = CHANGES[way]
            if len(chosen):
                some = images[chosen]
                changed[chosen] = change(some, uniform(some, low, high))
        return changed


def sheared_across(images: Tensor, shifts: Tensor) -> Tensor:
    """Each row moved by its distance from the first times the shift."""
    zero, one = torch.zeros_like(shifts), torch.ones_like(shifts)
    slope = shifts * images.shape[2] / images.shape[3]
    return warped(images, (one, slope, slope), (zero, one, zero), "zeros")


def moved_across(images: Tensor, pixels: Tensor) -> Tensor:
    zero, one = torch.zeros_like(pixels), torch.ones_like(pixels)
    return warped(images, (one, zero, 2 * pixels / images.shape[3]), (zero, one, zero), "zeros")


def turned(images: Tensor, degrees: Tensor) -> Tensor:
    return rotated(images, degrees, "zeros")


def downward(change: Change) -> Change:
    """The same change with rows for columns."""
    return lambda images, strengths: change(images.mT, strengths).mT


def posterised(images: Tensor, bits: Tensor) -> Tensor:
    """With so many bits of each value, after rounding."""
    step = 2 ** (8 - bits.round()[:, :, None, None])
    return (images.div(step, rounding_mode="floor") * step).to(images.dtype)


def solarised(images: Tensor, thresholds: Tensor) -> Tensor:
    """With those values inverted that reach the threshold."""
    return torch.where(images >= thresholds[:, :, None, None], 255 - images, images)


CHANGES: tuple[tuple[Change, float, float], ...] = (  # and the strengths, from one to the other
    (lambda images, _: images, 0, 0),
    (sheared_across, -0.99, 0.99),
    (downward(sheared_across), -0.99, 0.99),
    (moved_across, -32, 32),
    (downward(moved_across), -32, 32),
    (turned, -135, 135),
    (brightened, 0.01, 1.99),
    (saturated, 0.01, 1.99),
    (contrasted, 0.01, 1.99),
    (sharpened, 0.01, 1.99),
    (posterised, 2, 8),
    (solarised, 0, 255),
    (lambda images, _: v2.autocontrast(images), 0, 0),
    (lambda images, _: v2.equalize(images), 0, 0),
)
