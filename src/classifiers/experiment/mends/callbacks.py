"""What callbacks of Lightning's get wrong."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, WeightAveraging


def write_over_its_own_files(callback: ModelCheckpoint) -> None:
    """Without it, a checkpoint that a killed fit wrote after its last.ckpt has a twin, `-v1`, when the fit goes on."""
    callback._enable_version_counter = False


class LateAveraging(Callback):
    """Lets an average of which nothing is averaged yet be the weights themselves: without it, one that begins late is
    of untrained weights, which are validated, saved and tested (#21724). It has to stand before `WeightAveraging`.
    """

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
