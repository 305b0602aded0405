"""What accuracy doesn't tell of a test."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from torchmetrics.classification import MulticlassCalibrationError
from torchmetrics.functional.classification import multiclass_f1_score

from classifiers.callbacks.answered_test import AnsweredTest
from classifiers.data import ImageDataModule
from classifiers.data.image_dataset import Batch
from classifiers.experiment.terminal import say
from classifiers.metrics import class_indices


class ClassMetrics(AnsweredTest):
    """Says what the test images don't tell of, and logs `test/macro_f1`, the mean F1 score of the classes, and
    `test/ece`, the expected calibration error.

    The latter is the mean difference, in 15 bins, of how sure the net is and how often it is right then, after Guo et
    al., "On calibration of modern neural networks" (2017). Both are in [0, 1].
    """

    calibration_error: MulticlassCalibrationError

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
        super().on_test_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if batch_idx == 0:
            made = MulticlassCalibrationError(self.classes, validate_args=False)
            self.calibration_error = made.to(pl_module.device)
        self.calibration_error.update(outputs, class_indices(batch[1]))

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        answered = self.answers.compute()
        macro_f1 = multiclass_f1_score(answered.predicted, answered.true, self.classes, validate_args=False)
        scores = {"test/macro_f1": macro_f1, "test/ece": self.calibration_error.compute()}
        pl_module.log_dict(scores, sync_dist=True)
