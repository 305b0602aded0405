"""Pictures of a run, in its folder and in TensorBoard."""

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from matplotlib.figure import Figure

from classifiers.callbacks.answered_test import AnsweredTest
from classifiers.data import ImageDataModule
from classifiers.data.image_dataset import Batch
from classifiers.experiment.checkpoints.callbacks import BestCheckpoint, checkpoints_of
from classifiers.experiment.files import replacing, writing
from classifiers.experiment.runs.event_file import EventFile
from classifiers.experiment.runs.history import best_row, read_history
from classifiers.experiment.terminal import say
from classifiers.figures import confused_pairs, confusion_matrix, learning_curves, mistakes_grid
from classifiers.figures.confusion import MOST_CLASSES
from classifiers.figures.mistakes import Mistakes
from classifiers.metrics import class_indices


class Figures(AnsweredTest):
    """Draws `figures/` of a run: `curves.png` after a fit, and `augmented.png` of training images if these are that;
    `confusion.png` and `mistakes.png` after its test.

    Args:
        title: what they are of.
    """

    mistakes: Mistakes

    def __init__(self, title: str) -> None:
        self.title = title

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage != "fit" or not trainer.is_global_zero or not isinstance(trainer.logger, EventFile):
            return
        if history := read_history(Path(trainer.logger.log_dir)):
            kept = checkpoints_of(trainer, BestCheckpoint)
            best = best_row(history, kept[0].monitor, kept[0].mode) if kept else None
            self._write(trainer, "curves", learning_curves(history, best, self.title))
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if isinstance(data, ImageDataModule) and data.augmentations:
            self._write(trainer, "augmented", data.show_batch(32, seed=0))

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
            self.mistakes = Mistakes(most=20).to(pl_module.device)
        self.mistakes.update(batch[0], outputs, class_indices(batch[1]))

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        answered, mistakes = self.answers.compute(), self.mistakes.compute()  # of all processes
        if not trainer.is_global_zero:
            return
        names, scores = self.names(pl_module), answered.scores(self.classes)
        images, right = len(answered.true), int(answered.right.sum())
        title = f"{self.title}\n{right / images:.2%} of {images:,} test images are right"
        if self.classes <= MOST_CLASSES:
            confusion = confusion_matrix(answered.matrix(self.classes), scores, names, title)
        else:
            confusion = confused_pairs(*answered.confused(), scores, names, title)
        self._write(trainer, "confusion", confusion)
        shown = f"{len(mistakes)} of {images - right:,} mistakes in {images:,} test images, the surest first"
        self._write(trainer, "mistakes", mistakes_grid(mistakes, names, f"{self.title}\n{shown}"))

    def _write(self, trainer: Trainer, name: str, figure: Figure) -> None:
        if isinstance(trainer.logger, EventFile):
            path = Path(trainer.logger.log_dir, f"figures/{name}.png")
            with writing(path):
                path.parent.mkdir(exist_ok=True)
                with replacing(path) as file:
                    figure.savefig(file, format="png")
            with trainer.logger.writing() as writer:
                writer.add_figure(f"figures/{name}", figure, trainer.global_step)
        else:
            say(f"no {name}.png is written: this Trainer has no run folder, as fit(model, data) makes one")
