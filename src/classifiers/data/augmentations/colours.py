"""Images in other light and colours: of uint8 images `(B, C, H, W)`, and a number for each `(B, 1)`."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from classifiers.data.augmentations.augmentation import Augmentation, require_range, uniform

LUMA = (0.2989, 0.587, 0.114)  # of red, green and blue


class ColorJitter(Augmentation):
    """Change brightness, contrast, saturation and hue of each image, in this order.

    Args:
        brightness: the most that the factor of the brightness, as that of the others, differs from 1.
        contrast: that of the distance from the image's mean grey.
        saturation: that of the distance from each pixel's grey.
        hue: the most by which colours are turned, in [0, 0.5] of their circle.
    """

    def __init__(
        self, brightness: float = 0.0, contrast: float = 0.0, saturation: float = 0.0, hue: float = 0.0
    ) -> None:
        self.factors = {brightened: brightness, contrasted: contrast, saturated: saturation}
        self.hue = hue
        for name, most in {"brightness": brightness, "contrast": contrast, "saturation": saturation}.items():
            require_range(f"ColorJitter's {name}", most, 0, 100)
        require_range("ColorJitter's hue", hue, 0, 0.5)

    def __call__(self, images: Tensor) -> Tensor:
        for change, most in self.factors.items():
            if most:
                images = change(images, uniform(images, max(0, 1 - most), 1 + most))
        return hue_turned(images, uniform(images, -self.hue, self.hue)) if self.hue else images


def brightened(images: Tensor, factors: Tensor) -> Tensor:
    return blended(images, torch.zeros((), device=images.device), factors)


def contrasted(images: Tensor, factors: Tensor) -> Tensor:
    return blended(images, grey(images).mean((2, 3), keepdim=True), factors)


def saturated(images: Tensor, factors: Tensor) -> Tensor:
    return blended(images, grey(images), factors)


def sharpened(images: Tensor, factors: Tensor) -> Tensor:
    """By the distance from a mean of each pixel, which counts five times, and its neighbours."""
    if min(images.shape[-2:]) < 3:
        return images
    blurred = images.float()
    blurred[..., 1:-1, 1:-1] = (9 * F.avg_pool2d(blurred, 3, 1) + 4 * blurred[..., 1:-1, 1:-1]) / 13
    return blended(images, blurred, factors)


def hue_turned(images: Tensor, turns: Tensor) -> Tensor:
    """Of colours, turned in their circle, of which red, green and blue are each a third; grey images stay."""
    if images.shape[1] != 3:
        return images
    colours = images.float()
    red, green, blue = (colours[:, channel, None] for channel in range(3))
    most, chroma = colours.amax(1, keepdim=True), colours.amax(1, keepdim=True) - colours.amin(1, keepdim=True)
    among = chroma.clamp(min=1)  # of uint8: at least 1 where there is a colour at all
    sixth = torch.where(most == green, (blue - red) / among + 2, (red - green) / among + 4)
    sixth = torch.where(most == red, (green - blue) / among, sixth) + 6 * turns[:, :, None, None]
    places = ((sixth + channel) % 6 for channel in (5, 3, 1))
    parts = [most - chroma * torch.minimum(place, 4 - place).clamp(0, 1) for place in places]
    return torch.cat(parts, 1).round().to(images.dtype)


def grey(images: Tensor) -> Tensor:
    """The light `(B, 1, H, W)` of images in colour, or the mean of other channels."""
    if images.shape[1] != 3:
        return images.float().mean(1, keepdim=True)
    red, green, blue = (share * images[:, channel, None] for channel, share in enumerate(LUMA))
    return red + green + blue


def blended(images: Tensor, other: Tensor, factors: Tensor) -> Tensor:
    """The images, as far from `other` as each of the `factors` `(B, 1)` says, cut to the range of uint8."""
    apart = torch.lerp(other, images.float(), factors[:, :, None, None])
    return apart.clamp(0, 255).round().to(images.dtype)
