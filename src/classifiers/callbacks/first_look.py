"""What would give a tidy wrong number, found before a fit and in the first batch of its validation."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.data.image_dataset import Batch
from classifiers.data_of_net import of_net
from classifiers.experiment.errors import UserError
from classifiers.experiment.terminal import say
from classifiers.losses import is_mean, require_takes
from classifiers.models.normalisation import Normalisation


class FirstLook(Callback):
    """Says if a model made by hand doesn't know what its data says of the images, and if `val/loss` depends on the size
    of the batches, as that of somebody's own loss may.

    Raises:
        UserError: model and data name their classes otherwise; the net has more outputs than the model has names; the
            loss doesn't take the labels that a mixture of images has.
    """

    def __init__(self) -> None:
        self._looked = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = trainer.datamodule  # type: ignore[attr-defined]
        if not (isinstance(pl_module, ImageClassifier) and isinstance(data, ImageDataModule)):
            return
        if source := data.augmentations.mixing or ("--data.one_hot true" if data.one_hot else ""):
            cure = f"take torch.nn.CrossEntropyLoss, or leave {source} out"
            rows = torch.full((2, data.num_classes), 1 / data.num_classes).to(pl_module.device).type(pl_module.dtype)
            require_takes(pl_module.loss, rows, rows, source, cure)
            if data.train_set.labels.ndim == 1 and not data.one_hot:
                cure = "--data.one_hot true makes them rows"
                require_takes(pl_module.loss, rows, rows.argmax(1), "validation", cure)
        names, cure = pl_module.class_names, "ImageClassifier.for_data(net, data) takes them over"
        if names and tuple(names) != tuple(data.class_names):
            theirs = [", ".join(some) for some in (names, data.class_names)]
            raise UserError(f"the model's class_names are {theirs[0]}, and the data's {theirs[1]}: {cure}")
        told = {"mean": data.mean, "std": data.std, **of_net(pl_module.net, data)}
        expected = Normalisation(**told, memory_format=torch.contiguous_format).to(pl_module.device)
        images = torch.arange(256, dtype=torch.uint8, device=pl_module.device).repeat(1, data.in_channels, 1, 1)
        missing = [] if names else ["class_names"]
        if not torch.allclose(pl_module.normalise(images).float(), expected(images).float(), atol=1e-3):
            missing.append("mean and std")
        if missing:
            say(f"beware: the model has not the data's {' nor '.join(missing)}: {cure}")

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
        if self._looked or len(images) < 2 or not isinstance(pl_module, ImageClassifier):
            return
        self._looked = True
        logits, loss, names = pl_module(images), pl_module.loss, pl_module.class_names
        if names and logits.shape[1] > len(names):
            made = f"the net has {logits.shape[1]} outputs, and the model {len(names)} class_names"
            raise UserError(f"{made}: make it for num_classes {len(names)}")
        targets = targets.to(logits.dtype) if targets.ndim == 2 else targets
        if not type(loss).__module__.startswith("torch.nn.") and not is_mean(loss, logits, targets):
            name = type(loss).__name__
            say(f"beware: {name} of a batch is no mean over its images, so that val/loss depends on the batch size")
