"""What TensorBoard shows of a run beside its scalars."""

import copy
import warnings
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only

from classifiers.callbacks.evaluation_mode import evaluating
from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.experiment.runs.event_file import EventFile
from classifiers.experiment.terminal import say
from classifiers.figures import labelled_grid

LAYOUT = {
    "training and validation": {
        "loss": ["Multiline", ["train/epoch_loss", "val/loss"]],
        "accuracy": ["Multiline", ["train/acc", "val/acc"]],
    }
}


class TensorBoardCharts(Callback):
    """Training against validation in one chart; training images and the net's graph, after the fit to save its time."""

    @rank_zero_only
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if isinstance(trainer.logger, EventFile):
            with trainer.logger.writing() as writer:
                writer.add_custom_scalars(LAYOUT)

    @rank_zero_only
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if stage != "fit" or not (isinstance(trainer.logger, EventFile) and isinstance(data, ImageDataModule)):
            return
        assert isinstance(pl_module, ImageClassifier)
        images, labels = data.train_set.first(16)
        figure = labelled_grid(images, labels, data.class_names, columns=4)
        # the writer still traces by torch.jit, which torch deprecates and which warns of nets that look at their images
        quietly = warnings.catch_warnings(action="ignore")
        net = pl_module.net
        if pl_module.graph.mode:
            net = copy.deepcopy(net)  # isn't compiled, and so can be traced
        with trainer.logger.writing() as writer, torch.no_grad(), evaluating(net), quietly:
            writer.add_figure("training images", figure)
            try:
                writer.add_graph(net, pl_module.normalise(images[:1].to(pl_module.device)))
            except RuntimeError:
                say("TensorBoard will show no graph: the net can't be traced")
