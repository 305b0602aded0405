"""Whether the loss that is logged is the mean over all images."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.classifier import ImageClassifier
from classifiers.data.image_dataset import Batch
from classifiers.experiment.terminal import say
from classifiers.losses import is_mean


class LossIsMean(Callback):
    """Says it once if `val/loss` depends on the size of the batches, as that of somebody's own loss may."""

    def __init__(self) -> None:
        self._looked = False

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        images, targets = batch
        if self._looked or len(images) < 2:
            return
        self._looked = True
        assert isinstance(pl_module, ImageClassifier)
        loss = pl_module.loss
        if type(loss).__module__.startswith("torch.nn."):
            return
        logits = pl_module(images)
        if not is_mean(loss, logits, targets.to(logits.dtype) if targets.ndim == 2 else targets):
            name = type(loss).__name__
            say(f"beware: {name} of a batch is no mean over its images, so that val/loss depends on the batch size")
