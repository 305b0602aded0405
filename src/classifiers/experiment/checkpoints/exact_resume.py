"""A fit that goes on from a checkpoint as if it had never stopped."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class ExactResume(Callback):
    """Mends what Lightning 2.6 loses of a fit between a checkpoint and the fit that goes on from it.

    The order of the images and the random numbers of a step are `RepeatableDataModule`'s care, the sums of an epoch's
    metrics `ImageClassifier`'s, the best score so far `BestCheckpoint`'s.
    """

    metrics: dict[str, float] | None = None

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["metrics"] = {name: value.item() for name, value in trainer.callback_metrics.items()}

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.metrics = checkpoint.get("metrics", {})
        trainer.num_sanity_val_steps = 0  # would reset the metrics

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.metrics:
            trainer.callback_metrics.update({name: torch.tensor(value) for name, value in self.metrics.items()})

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if self.metrics is not None:
            self.metrics = None
            trainer.fit_loop._restarting = False  # or ReduceLROnPlateau would not see the end of this epoch
            trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step  # counted the last step twice
