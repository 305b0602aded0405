"""How well the net of the last epoch does on the images that it was trained on."""

from pathlib import Path

import torch
from lightning.fabric.utilities import move_data_to_device
from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.answers import Answers
from classifiers.callbacks.evaluation_mode import evaluating
from classifiers.callbacks.test_tables import write_mistakes
from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.data.origins import origins
from classifiers.experiment.runs.event_file import EventFile
from classifiers.metrics import LossAndAccuracy, class_indices


class EvaluateTrainingImages(Callback):
    """Logs `train/eval_loss` and `train/eval_acc` at the end of the last of `max_epochs`.

    Unlike `train/epoch_loss` and `train/acc`, which are counted while the net learns, these are of the finished net, in
    evaluation mode, on the training images as they are, without augmentation.

    Args:
        mistakes: whether those that are taken for another class are listed in `train_mistakes.csv` of the run folder,
            the surest first: wrong labels stand at its top.
    """

    def __init__(self, mistakes: bool = False) -> None:
        self.mistakes = mistakes

    @torch.no_grad()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.max_epochs is None or trainer.current_epoch + 1 != trainer.max_epochs:
            return
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ImageDataModule)
        assert isinstance(pl_module, ImageClassifier)
        metrics, answers = LossAndAccuracy().to(pl_module.device), Answers().to(pl_module.device)
        with evaluating(pl_module):
            for batch in data.dataloader(data.train_set):
                images, labels = move_data_to_device(batch, pl_module.device)
                _, logits = pl_module.evaluate((images, labels), metrics)
                if self.mistakes:
                    answers.update(pl_module.probabilities(logits), class_indices(labels))
        exact = metrics.compute()
        pl_module.log_dict({"train/eval_loss": exact["loss"], "train/eval_acc": exact["acc"]})
        answered = answers.compute() if self.mistakes else None  # of all processes
        if answered and trainer.is_global_zero and isinstance(trainer.logger, EventFile):
            path = Path(trainer.logger.log_dir, "train_mistakes.csv")
            names = pl_module.class_names or data.class_names
            write_mistakes(path, answered, names, *origins(data, "train", len(answered.true)))
