"""A test whose every answer is looked at."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.answers import Answers
from classifiers.classifier import ImageClassifier
from classifiers.data.image_dataset import Batch
from classifiers.metrics import class_indices


class AnsweredTest(Callback):
    """A base that collects the `answers` of a test, and how many `classes` the net has outputs for."""

    answers: Answers
    classes: int

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
            self.answers, self.classes = Answers().to(pl_module.device), outputs.shape[1]
        self.answers.update(outputs, class_indices(batch[1]))

    def names(self, module: LightningModule) -> list[str]:
        """Those of all classes; of one without, its number."""
        known = module.class_names if isinstance(module, ImageClassifier) else ()
        return [*known, *map(str, range(len(known), self.classes))][: self.classes]
