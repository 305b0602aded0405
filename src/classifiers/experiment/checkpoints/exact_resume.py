"""The metrics and counts of a fit that goes on as if it had never stopped; its place in the data: see sampling/."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torchmetrics import Metric

from classifiers.experiment.mends import loops


class ExactResume(Callback):
    """Keeps what Lightning 2.6 loses of a fit between a checkpoint and the fit that goes on from it: the metrics logged
    so far, and what the epoch in progress has counted, be it in torchmetrics of the module or by its `self.log`.

    The order of the data and the random numbers of a step are `RepeatableDataModule`'s care, the best score so far
    `BestCheckpoint`'s.
    """

    metrics: dict[str, float] | None = None

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, Tensor]] = {}
        self._sums: dict[str, dict[str, Tensor]] = {}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Weights of 64 bits are restored before Lightning makes the module one of 64 bits."""
        if trainer.precision == "64-true":
            pl_module.double()

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["metrics"] = {name: value.item() for name, value in trainer.callback_metrics.items()}
        metrics = {name: part for name, part in pl_module.named_modules() if isinstance(part, Metric)}
        checkpoint["metric_counts"] = {name: found for name, metric in metrics.items() if (found := counts(metric))}
        checkpoint["epoch_sums"] = loops.epoch_sums(trainer)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.metrics = checkpoint.get("metrics", {})
        earlier = {"train_metrics": checkpoint.get("train_metrics", {})}  # as version 0.1 of this project wrote them
        self._counts = checkpoint.get("metric_counts", earlier)
        self._sums = checkpoint.get("epoch_sums", {})
        trainer.num_sanity_val_steps = 0  # would reset the metrics
        loops.begin_the_epoch(checkpoint["loops"])

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.metrics:
            trainer.callback_metrics.update({name: torch.tensor(value) for name, value in self.metrics.items()})
        for name, saved in self._counts.items() if trainer.is_global_zero else ():
            count_on(pl_module.get_submodule(name), saved)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if self.metrics is not None:
            self.metrics = None
            loops.count_steps_rightly(trainer)
        loops.add_epoch_sums(trainer, self._sums)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loops.add_epoch_sums(trainer, self._sums)
        self._sums = {}


def counts(metric: Metric) -> dict[str, Tensor]:
    """What a metric has counted, of several processes all that they have; nothing of one that keeps lists."""
    if any(isinstance(value, list) for value in metric.metric_state.values()):
        return {}
    with metric.sync_context():
        return {name: value.clone() for name, value in metric.metric_state.items() if isinstance(value, Tensor)}


def count_on(metric: Any, saved: dict[str, Tensor]) -> None:
    """Let a metric go on from what `counts` returned."""
    for name, value in saved.items():
        setattr(metric, name, value.to(getattr(metric, name)))  # of the type that other processes have
