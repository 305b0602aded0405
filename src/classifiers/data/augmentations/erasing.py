"""Images with a hole."""

import math

import torch
from torch import Tensor

from classifiers.data.augmentations.augmentation import Augmentation, require_range, uniform


class RandomErasing(Augmentation):
    """Put noise, of a batch the same, into a random box of each image.

    After Zhong et al., "Random erasing data augmentation" (2017).

    Args:
        p: the probability that an image gets one, in [0, 1].
        scale: the box's share of the image's area, from one to the other.
        ratio: its height by its width; their logarithms are drawn alike. It is cut to the image.
    """

    def __init__(
        self, p: float = 0.5, scale: tuple[float, float] = (0.02, 0.33), ratio: tuple[float, float] = (0.3, 3.3)
    ) -> None:
        self.p, self.scale, self.ratio = p, scale, ratio
        require_range("RandomErasing's p", p, 0, 1)
        require_range("RandomErasing's scale", scale, 0, 1)
        require_range("RandomErasing's ratio", ratio, 0.01, 100)

    def __call__(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        area = uniform(images, *self.scale) * height * width
        ratio = uniform(images, math.log(self.ratio[0]), math.log(self.ratio[1])).exp()
        inside = _span(images, (area * ratio).sqrt(), height)[:, None, :, None]
        inside = inside & _span(images, (area / ratio).sqrt(), width)[:, None, None, :]
        erased = inside & (uniform(images, 0, 1) < self.p)[:, :, None, None]
        return torch.where(erased, torch.randint_like(images[:1], 256), images)


def _span(images: Tensor, length: Tensor, size: int) -> Tensor:
    """Which of `size` pixels in a row `(B, size)` are among as many as the rounded `length` `(B, 1)`, anywhere."""
    length = length.round().clamp(max=size)
    start = ((size - length + 1) * uniform(images, 0, 1)).floor()
    place = torch.arange(size, device=images.device)
    return (place >= start) & (place < start + length)
