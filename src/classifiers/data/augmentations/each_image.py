"""Transforms of torchvision's v2, which draw once a call, as augmentations, which draw for every image."""

import torch
from torch import Tensor
from torchvision.transforms.v2 import CutMix, MixUp, Transform

from classifiers.data.augmentations.augmentation import Augmentation
from classifiers.experiment.errors import UserError, one_line


class EachImage(Augmentation):
    """Calls `transform` for each image by itself.

    Raises:
        UserError: it mixes labels; it takes no uint8 images `(C, H, W)`, or makes others of them.
    """

    def __init__(self, transform: Transform) -> None:
        self.transform, self.name = transform, type(transform).__name__
        if isinstance(transform, MixUp | CutMix):
            raise UserError(f"torchvision's {self.name} draws once for a whole batch: take {self.name} by itself")

    def __call__(self, images: Tensor) -> Tensor:
        return torch.stack([self._changed(image) for image in images])

    def _changed(self, image: Tensor) -> Tensor:
        try:
            changed = self.transform(image)
        except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
            shape = tuple(image.shape)
            raise UserError(f"{self.name} takes no uint8 images {shape}, leave it out: {one_line(error)}") from error
        return same_kind(changed, image, self.name)


def same_kind(changed: object, before: Tensor, name: str) -> Tensor:
    """What `name` made of images, a tensor of the type and the shape that they had; UserError if it isn't."""
    found = f"{changed.dtype} {tuple(changed.shape)}" if isinstance(changed, Tensor) else type(changed).__name__
    if found != (kept := f"{before.dtype} {tuple(before.shape)}"):
        raise UserError(f"{name} makes {found} of {kept}: an augmentation keeps type and shape, leave {name} out")
    assert isinstance(changed, Tensor)
    return changed.as_subclass(Tensor)
