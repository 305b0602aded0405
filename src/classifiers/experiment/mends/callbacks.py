"""What callbacks of Lightning's get wrong."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    BatchSizeFinder,
    EMAWeightAveraging,
    ModelCheckpoint,
    ModelPruning,
    SpikeDetection,
    WeightAveraging,
)
from torch import nn


def write_over_its_own_files(callback: ModelCheckpoint) -> None:
    """Without it, a checkpoint that a killed fit wrote after its last.ckpt has a twin, `-v1`, when the fit goes on."""
    callback._enable_version_counter = False


def load_what_it_saves(callback: SpikeDetection) -> None:
    """Without it, a fit with it can't go on: it loads a metric under another name than that which it has."""
    callback.running = callback.running_mean  # type: ignore[attr-defined]


def batch_size_name(finder: BatchSizeFinder) -> str:
    """The attribute that it sets, which it doesn't tell."""
    return finder._batch_arg_name


class PruningInRows(Callback):
    """Lays parameters out in rows where they are to be pruned: torch flattens them by `view`, which refuses those that
    are channels last. Those that are reset to their first values are copies of these: without it, they are the first
    values themselves, which training changes, so that only the first reset is one.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, ModelPruning):
                callback._copy_param = _copy_param  # type: ignore[method-assign]
                for parameter in pl_module.parameters():
                    parameter.data = parameter.data.contiguous()


class LateAveraging(Callback):
    """Lets an average of which nothing is averaged yet be the weights themselves, and one that is to begin at an epoch
    begin then: without it, untrained weights are validated, saved and tested (#21724). It has to stand before
    `WeightAveraging`.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, EMAWeightAveraging) and callback.update_starting_at_step is None:
                begins = partial(_begun, trainer, callback.update_starting_at_epoch or 0, callback.should_update)
                callback.should_update = begins  # type: ignore[method-assign]

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._follow(trainer, pl_module)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._follow(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._follow(trainer, pl_module)

    def _follow(self, trainer: Trainer, module: LightningModule) -> None:
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            average = callback._average_model if isinstance(callback, WeightAveraging) else None
            if average is not None and average.n_averaged == 0:
                average.module.load_state_dict(module.state_dict())


def _copy_param(new: nn.Module, old: nn.Module, name: str) -> None:
    with torch.no_grad():
        new.get_parameter(f"{name}_orig").copy_(old.get_parameter(name))


def _begun(trainer: Trainer, epoch: int, should_update: Callable[..., bool], *args: Any, **kwargs: Any) -> bool:
    return trainer.current_epoch >= epoch and should_update(*args, **kwargs)
