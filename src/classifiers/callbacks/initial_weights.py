"""Weights to start a fit from."""

from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.checkpoint import init_weights
from classifiers.classifier import ImageClassifier


class InitialWeights(Callback):
    """Copies what fits of the weights at `path` into the net before training, over what other callbacks made of it.

    Raises:
        UserError: there is no checkpoint at `path`, or nothing of it fits.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit":
            assert isinstance(pl_module, ImageClassifier)
            init_weights(pl_module.net, self.path)
