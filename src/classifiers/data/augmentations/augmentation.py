"""Random changes to a whole training batch at once, drawn anew for every image, on the device the batch is on."""

from abc import ABC, abstractmethod

from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torchvision.transforms.v2 import Transform

from classifiers.experiment.checkpoints.describing import Described


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
        shares = F.one_hot(labels, classes) if labels.ndim == 1 else labels
        return self(images, shares.float())
