"""A first layer that needs no training."""

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.experiment.errors import UserError


class WhitenFirstConvolution(Callback):
    """Sets the first convolution of the net to whiten patches of training images, and keeps it so.

    Its filters are the patches' principal components, each scaled to unit variance, and their negatives: those of the
    most variance where it has fewer, and filters as initialised beyond them where it has more. After Page, "How to
    train your ResNet" (2018), and Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (2024).

    Args:
        images: training images that are looked at.

    Raises:
        UserError: the net has no convolution, or the first one is grouped.
    """

    def __init__(self, images: int = 5000) -> None:
        self.images = images

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage != "fit":
            return
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ImageDataModule)
        assert isinstance(pl_module, ImageClassifier)
        convolution = next((layer for layer in pl_module.net.modules() if isinstance(layer, nn.Conv2d)), None)
        if convolution is None or convolution.groups > 1:
            raise UserError("WhitenFirstConvolution needs a net whose first convolution sees all channels of the image")
        images, _ = data.train_set.first(self.images)
        components = principal_components(pl_module.normalise(images), convolution.kernel_size)
        filters = torch.stack([components, -components], 1).flatten(0, 1)[: convolution.out_channels]
        with torch.no_grad():
            convolution.weight[: len(filters)] = filters
        convolution.weight.requires_grad = False


def principal_components(images: Tensor, size: tuple[int, ...]) -> Tensor:
    """Those of all patches `(h, w)` of images `(N, C, H, W)`, scaled to give unit variance: `(C * h * w, C, h, w)`."""
    patches = images.unfold(2, size[0], 1).unfold(3, size[1], 1).movedim(1, 3).flatten(3)  # (N, H', W', C * h * w)
    patches = patches.reshape(-1, patches.shape[3])
    variances, components = torch.linalg.eigh(patches.T @ patches / len(patches))
    scaled = components / (variances + 5e-4).sqrt()
    filters: Tensor = scaled.T.flip(0).unflatten(1, (images.shape[1], *size))
    return filters
