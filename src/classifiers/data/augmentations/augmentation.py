"""Random changes to a whole training batch at once, drawn anew for every image, on the device the batch is on."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torchvision.transforms.v2 import Transform

from classifiers.data.image_dataset import one_hot
from classifiers.experiment.checkpoints.describing import Described
from classifiers.experiment.errors import UserError


class AnyAugmentation(Described, ABC):
    """What `--data.augmentations` takes: an Augmentation, a Mixture, or a Transform of torchvision's v2."""

    @abstractmethod
    def change(self, images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        """Uint8 images `(B, C, H, W)`, and labels `(B,)` of one of the `classes`, or rows `(B, K)`; changed."""


AnyAugmentation.register(Transform)


class Augmentation(AnyAugmentation):
    """Maps uint8 images `(B, C, H, W)` to images of the same type and shape."""

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor: ...

    def change(self, images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        return self(images), labels


class Mixture(AnyAugmentation):
    """Maps uint8 images `(B, C, H, W)` and the shares of the classes in each, rows `(B, K)`, to such."""

    @abstractmethod
    def __call__(self, images: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]: ...

    def change(self, images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        return self(images, (one_hot(labels, classes) if labels.ndim == 1 else labels).float())


def uniform(images: Tensor, low: float, high: float, tries: int = 1) -> Tensor:
    """Numbers `(B, tries)` between these, drawn for each of B images, on their device."""
    return torch.empty(len(images), tries, device=images.device).uniform_(low, high)


def require_range(name: str, given: float | tuple[float, float], least: float, most: float) -> None:
    """UserError if what is `given` for the option `name` isn't from `least` to `most`, or two numbers not in order."""
    low, high = given if isinstance(given, tuple | list) else (given, given)
    if not least <= low <= high <= most:
        kind = "two numbers in order, " if isinstance(given, tuple | list) else ""
        shown = [*given] if isinstance(given, tuple | list) else given
        raise UserError(f"{name} is {shown}: it must be {kind}from {least:g} to {most:g}")
