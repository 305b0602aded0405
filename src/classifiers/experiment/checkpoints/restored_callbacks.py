"""What callbacks of Lightning's make of the model and its trainer when an epoch begins, and don't keep themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import GradientAccumulationScheduler, StochasticWeightAveraging
from torch import Tensor
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils.prune import custom_from_mask

SET_UP_EPOCHS = (GradientAccumulationScheduler, StochasticWeightAveraging)


class RestoredCallbacks(Callback):
    """Restores what is frozen or pruned, and lets the callbacks that set up an epoch do so in one that goes on."""

    def __init__(self) -> None:
        self._frozen: dict[str, list[str]] | None = None
        self._pruned: dict[str, Tensor] = {}
        self._resumed = False

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["frozen"] = {
            "parameters": [name for name, value in pl_module.named_parameters() if not value.requires_grad],
            "statistics": [name for name, part in _norms(pl_module) if not part.track_running_stats],
        }
        pruned = [name.removesuffix("_orig") for name, _ in pl_module.named_parameters() if name.endswith("_orig")]
        checkpoint["pruned"] = {name: pl_module.get_buffer(f"{name}_mask") for name in pruned}

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._frozen = checkpoint.get("frozen")
        self._pruned = checkpoint.get("pruned", {})
        self._resumed = True

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Those that freeze have frozen in `setup` what a new fit begins with."""
        for path, mask in self._pruned.items():
            part, _, name = path.rpartition(".")
            custom_from_mask(pl_module.get_submodule(part), name, mask.to(pl_module.device))  # type: ignore[no-untyped-call]
        if self._frozen:
            for name, value in pl_module.named_parameters():
                value.requires_grad = name not in self._frozen["parameters"]
            for name, norm in _norms(pl_module):
                norm.track_running_stats = name not in self._frozen["statistics"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.fit_loop.epoch_progress.current
        if not (self._resumed and epoch.started > trainer.current_epoch):  # type: ignore[attr-defined]
            return
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, SET_UP_EPOCHS):
                with _untouched(trainer, pl_module):
                    callback.on_train_epoch_start(trainer, pl_module)


def _norms(module: LightningModule) -> list[tuple[str, _NormBase]]:
    return [(name, part) for name, part in module.named_modules() if isinstance(part, _NormBase)]


@contextmanager
def _untouched(trainer: Trainer, module: LightningModule) -> Iterator[None]:
    """Leave weights, buffers and rates as they are."""
    values = {name: value.clone() for name, value in module.state_dict().items()}
    groups = [[{**group} for group in optimizer.param_groups] for optimizer in trainer.optimizers]
    yield
    with torch.no_grad():
        for name, value in module.state_dict().items():
            value.copy_(values[name])
    for optimizer, before in zip(trainer.optimizers, groups, strict=True):
        for group, old in zip(optimizer.param_groups, before, strict=True):
            group.update(old)
