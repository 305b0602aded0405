"""Between two logs nobody reads a value from the device, which would have to wait for it."""

import io
import traceback
from pathlib import Path
from typing import Any

import pytest
import rich
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from torch.utils._python_dispatch import TorchDispatchMode

from classifiers.cli import main
from tests.conftest import SMALL

READS = {"_local_scalar_dense", "item", "is_nonzero", "nonzero", "unique", "masked_select", "equal"}
EVERY = 10
SHOWN = [option for option in SMALL if not option.startswith(("--trainer.enable_progress_bar", "--figures"))]
EVERYTHING = [
    "--data.batch_size=4",
    "--data.augmentations+=RandomCrop",
    "--data.augmentations+=RandomHorizontalFlip",
    "--data.augmentations+=RandomResizedCrop",
    "--data.augmentations+=RandomRotation",
    "--data.augmentations+=RandomErasing",
    "--data.augmentations+=ColorJitter",
    "--data.augmentations.brightness=0.4",
    "--data.augmentations.hue=0.1",
    "--data.augmentations+=TrivialAugment",
    "--data.augmentations+=MixUp",
    "--data.augmentations+=CutMix",
    "--model.optimizer=SGD",
    "--model.optimizer.lr=0.1",
    "--model.lr_scheduler=OneCycle",
    "--model.lr_scheduler_interval=step",
    "--trainer.gradient_clip_val=1",
    "--trainer.precision=bf16-mixed",
    "--last_checkpoint.every_n_steps=20",
    f"--trainer.log_every_n_steps={EVERY}",
]


class Reads(TorchDispatchMode):
    """Notes where values are read in steps that log nothing, by batch."""

    def __init__(self) -> None:
        super().__init__()
        self.batch: int | None = None
        self.batches = 0
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in READS and self.batch is not None and self.batch % EVERY:
            where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_stack()[-8:-1]]
            self.found.append(f"{name} in batch {self.batch} at {' '.join(where)}")
        return func(*args, **(kwargs or {}))


reads: Reads


class Batches(Callback):
    """Tells `reads` which batch of the epoch is trained on: all from its start to that of the next belongs to it."""

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        reads.batch = batch_idx + 1
        reads.batches += 1

    def on_save_checkpoint(self, *_: Any) -> None:
        reads.batch = None

    on_validation_start = on_train_epoch_end = on_save_checkpoint


class ReadsEachStep(Callback):
    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *batch: Any) -> None:
        float(outputs["loss"])


def reads_of(monkeypatch: pytest.MonkeyPatch, *options: str) -> list[str]:
    global reads
    reads = Reads()
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(rich, "get_console", lambda: console)
    with reads:
        main(["fit", *SHOWN, *EVERYTHING, f"--trainer.callbacks+={__name__}.Batches", *options])
    assert reads.batches == 180
    assert "images/s" in console.file.getvalue()  # type: ignore[attr-defined]
    return reads.found


def test_nothing_is_read_between_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reads_of(monkeypatch) == []


def test_a_read_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reads_of(monkeypatch, f"--trainer.callbacks+={__name__}.ReadsEachStep")
    assert len(found) == 180 - 18  # those that log
    assert found[0].startswith("_local_scalar_dense in batch 1 at ")
