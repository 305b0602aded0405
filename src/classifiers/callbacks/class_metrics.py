"""What accuracy doesn't tell of a test."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import MulticlassCalibrationError, MulticlassF1Score

from classifiers.data import ImageDataModule
from classifiers.data.image_dataset import Batch
from classifiers.experiment.terminal import say
from classifiers.metrics import class_indices


class ClassMetrics(Callback):
    """Says what the test images don't tell of, and logs `test/macro_f1`, the mean F1 score of the classes, and
    `test/ece`, the expected calibration error.

    The latter is the mean difference, in 15 bins, of how sure the net is and how often it is right then, after Guo et
    al., "On calibration of modern neural networks" (2017). Both are in [0, 1].
    """

    metrics: MetricCollection

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = trainer.datamodule  # type: ignore[attr-defined]
        for remark in data.remarks("test") if isinstance(data, ImageDataModule) else ():
            say(f"beware: {remark}")

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if batch_idx == 0:
            given: Any = {"num_classes": outputs.shape[1], "validate_args": False}
            metrics: dict[str, Metric | MetricCollection] = {
                "test/macro_f1": MulticlassF1Score(**given),
                "test/ece": MulticlassCalibrationError(**given),
            }
            self.metrics = MetricCollection(metrics).to(pl_module.device)
        self.metrics.update(outputs, class_indices(batch[1]))

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.log_dict(self.metrics.compute(), sync_dist=True)
