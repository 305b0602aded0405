"""When each training step and each epoch of a loop ended, and what it took: whichever loop runs writes it."""

import json
import re
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class Clock(Callback):
    """Notes times since the epoch in seconds; `steps` ends the program after so many of them."""

    def __init__(self, out: Path, steps: int = 0) -> None:
        self.out, self.limit = out, steps
        self.steps: list[float] = []
        self.epochs: list[tuple[float, float]] = []  # (time, accuracy)

    def start(self, *_: Any) -> None:
        self.started = time.time()

    def step(self, *_: Any) -> None:
        if torch.cuda.is_available() and len(self.steps) + 1 in (self.limit // 6 + 1, self.limit):
            torch.cuda.synchronize()  # between which steps are measured: a GPU is behind
        self.steps.append(time.time())
        if len(self.steps) == self.limit:
            self.write()
            raise SystemExit

    def epoch(self, accuracy: float) -> None:
        self.epochs.append((time.time(), accuracy))

    def write(self) -> None:
        seen = {"started": self.started, "steps": self.steps, "epochs": self.epochs, "memory": _peak_memory()}
        self.out.write_text(json.dumps(seen))

    on_fit_start, on_train_batch_end = start, step

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """After this epoch's validation."""
        self.epoch(float(trainer.callback_metrics.get("val/acc", "nan")))

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self.write()


def _peak_memory() -> float:
    """The most that this process had resident, in MiB; `getrusage` would count the process that started it too."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024
