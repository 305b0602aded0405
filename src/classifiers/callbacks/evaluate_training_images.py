"""How well the net of the last epoch does on the images that it was trained on."""

import torch
from lightning.fabric.utilities import move_data_to_device
from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.callbacks.evaluation_mode import evaluating
from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.metrics import LossAndAccuracy


class EvaluateTrainingImages(Callback):
    """Logs `train/eval_loss` and `train/eval_acc` at the end of the last of `max_epochs`.

    Unlike `train/epoch_loss` and `train/acc`, which are counted while the net learns, these are of the finished net, in
    evaluation mode, on the training images as they are, without augmentation.
    """

    @torch.no_grad()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.max_epochs is None or trainer.current_epoch + 1 != trainer.max_epochs:
            return
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ImageDataModule)
        assert isinstance(pl_module, ImageClassifier)
        metrics = LossAndAccuracy().to(pl_module.device)
        with evaluating(pl_module):
            for batch in data.dataloader(data.train_set):
                pl_module.evaluate(move_data_to_device(batch, pl_module.device), metrics)
        exact = metrics.compute()
        pl_module.log_dict({"train/eval_loss": exact["loss"], "train/eval_acc": exact["acc"]})
