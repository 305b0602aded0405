"""What a fitted classifier takes for what."""

from dataclasses import dataclass
from typing import Any

import torch
from lightning.fabric.utilities import move_data_to_device
from matplotlib.figure import Figure
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.experiment import Run
from classifiers.figures import mistakes_grid
from classifiers.figures.mistakes import Mistake, Mistakes
from classifiers.metrics import class_indices


@dataclass(frozen=True)
class Interpretation:
    """The `confusion` `(K, K)` of test images by true (row) and predicted class, and the surest `mistakes`."""

    confusion: Tensor
    mistakes: list[Mistake]
    class_names: tuple[str, ...]

    def show_mistakes(self) -> Figure:
        """The images of `mistakes`, each with what it was taken for."""
        return mistakes_grid(self.mistakes, self.class_names, f"{len(self.mistakes)} mistakes, the surest first")


@torch.inference_mode()
def interpret(run: Run, data: ImageDataModule | None = None, most: int = 20) -> Interpretation:
    """Look at the test images of a run with its best weights; `data` is needed if no plain values describe it."""
    model: Any = run.model
    assert isinstance(model, ImageClassifier)
    data = data or run.data  # type: ignore[assignment]
    assert isinstance(data, ImageDataModule)
    data.prepare_data()
    data.setup("test")
    confusion, mistakes = MulticlassConfusionMatrix(data.num_classes).to(model.device), Mistakes(most).to(model.device)
    for batch in data.dataloader(data.test_set):
        images, labels = move_data_to_device(batch, model.device)
        found = model.probabilities(model(images))
        confusion.update(found, class_indices(labels))
        mistakes.update(images, found, class_indices(labels))
    return Interpretation(confusion.compute().cpu(), mistakes.compute(), model.class_names)
