"""What a fit needs to be killed at a given moment, and to show whether its random numbers came back."""

import os
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from torch import nn

from classifiers.models import Net


class DropoutNet(Net):
    def __init__(self, in_channels: int, image_size: int, num_classes: int) -> None:
        backbone = [nn.Flatten(), nn.Linear(in_channels * image_size**2, 16), nn.BatchNorm1d(16), nn.ReLU()]
        super().__init__(nn.Sequential(*backbone, nn.Dropout(0.5)), nn.Linear(16, num_classes))


class Kill(Callback):
    """Sends this process the signal `number` once, in the first `hook` after `step`; the file `once` keeps count."""

    def __init__(self, hook: str, step: int, once: str, number: int = 9) -> None:
        self.hook, self.step, self.once, self.number = hook, step, Path(once), number

    def _hook(self, name: str, trainer: Trainer) -> None:
        due = name == self.hook and trainer.global_step >= self.step and not trainer.sanity_checking
        if due and not self.once.exists():
            self.once.touch()
            os.kill(os.getpid(), self.number)


def _named(name: str) -> Any:
    return lambda self, trainer, *args, **kwargs: self._hook(name, trainer)


for _name in ("setup", "on_train_batch_start", "on_train_batch_end", "on_validation_batch_end", "on_validation_end",
              "on_train_epoch_start", "on_train_epoch_end", "on_train_end", "on_test_batch_end"):  # fmt: skip
    setattr(Kill, _name, _named(_name))
