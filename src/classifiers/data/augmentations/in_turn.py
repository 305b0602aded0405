"""The augmentations of a training batch, one after the other."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.transforms.v2 import Transform

from classifiers.data.augmentations.augmentation import AnyAugmentation, Mixture
from classifiers.data.augmentations.each_image import EachImage, same_kind


class InTurn:
    """Applies them in turn.

    Raises:
        UserError: a transform of torchvision's that mixes labels.
    """

    def __init__(self, augmentations: Sequence[AnyAugmentation]) -> None:
        self.augmentations = [EachImage(one) if isinstance(one, Transform) else one for one in augmentations]

    def __call__(self, images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        """Of uint8 images `(B, C, H, W)`, and labels `(B,)` of one of the `classes`, or rows `(B, K)`."""
        for augmentation in self.augmentations:
            images, labels = augmentation.change(images, labels, classes)
        return images, labels

    def __bool__(self) -> bool:
        return bool(self.augmentations)

    @property
    def mixing(self) -> str:
        """The names of those that make labels rows of shares `(B, K)`."""
        return " and ".join(type(one).__name__ for one in self.augmentations if isinstance(one, Mixture))

    def try_on(self, shape: tuple[int, int, int]) -> None:
        """Try each on two black images of `shape` `(C, H, W)`, drawing nothing from what is random in the fit.

        Raises:
            UserError: one takes no such images, or makes others of them.
        """
        images, labels = torch.zeros(2, *shape, dtype=torch.uint8), torch.arange(2)
        with torch.random.fork_rng(devices=()):
            for augmentation in self.augmentations:
                changed, _ = augmentation.change(images, labels, classes=2)
                same_kind(changed, images, type(augmentation).__name__)
