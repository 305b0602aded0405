"""Each image mixed with the one before it in the batch, whose order is random; its label is the share of each."""

import torch
from torch import Tensor

from classifiers.data.augmentations.augmentation import Mixture, require_range
from classifiers.experiment.errors import UserError


class Mixed(Mixture):
    """A mixture of two images with a share that is drawn from Beta(`alpha`, `alpha`) for each.

    Args:
        alpha: the greater, the more even the shares; 1 draws all alike.
        p: the probability that an image is mixed at all, in [0, 1].

    Raises:
        UserError: `alpha` isn't positive, or `p` no probability.
    """

    def __init__(self, alpha: float = 1.0, p: float = 1.0) -> None:
        self.alpha, self.p = alpha, p
        if not 0 < alpha < float("inf"):
            raise UserError(f"{type(self).__name__}'s alpha is {alpha}: it must be greater than 0")
        require_range(f"{type(self).__name__}'s p", p, 0, 1)

    def draw(self, images: Tensor) -> Tensor:
        """The share `(B, 1, 1, 1)` that each image keeps of itself."""
        alpha = torch.full((len(images), 1, 1, 1), float(self.alpha), device=images.device)
        share = torch.distributions.Beta(alpha, alpha, validate_args=False).sample()
        return torch.where(torch.rand_like(share) < self.p, share, 1)


class MixUp(Mixed):
    """The mean of two images, weighted by their shares.

    After Zhang et al., "mixup: beyond empirical risk minimization" (2017), with a share for each image.
    """

    def __init__(self, alpha: float = 0.2, p: float = 1.0) -> None:
        super().__init__(alpha, p)

    def __call__(self, images: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
        kept = self.draw(images)
        mixed = torch.lerp(images.roll(1, 0).float(), images.float(), kept)
        return mixed.round().to(torch.uint8), torch.lerp(shares.roll(1, 0), shares, kept.flatten(1))


class CutMix(Mixed):
    """An image with a box of another, which is placed at random and reaches over the border.

    After Yun et al., "CutMix" (2019), with a box for each image.
    """

    def __call__(self, images: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
        side = (1 - self.draw(images)).sqrt() / 2  # half of the box's, as a share of the image's
        inside = self._span(side, 2, images) & self._span(side, 3, images)
        kept = 1 - inside.float().mean((2, 3)).to(shares.dtype)  # (B, 1)
        return torch.where(inside, images.roll(1, 0), images), torch.lerp(shares.roll(1, 0), shares, kept)

    def _span(self, side: Tensor, axis: int, images: Tensor) -> Tensor:
        """Which rows or columns, along `axis`, are within the box of each image."""
        size = images.shape[axis]
        place = torch.arange(size, device=images.device).add(0.5).div(size)
        shape = [1, 1, 1, 1]
        shape[axis] = size
        return (place.view(shape) - torch.rand_like(side)).abs() < side
