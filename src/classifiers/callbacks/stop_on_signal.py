"""An orderly end for a fit that is told to stop."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.callbacks.checkpoints import LastCheckpoint
from classifiers.terminal import say

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def exit_at_once(number: int, frame: FrameType | None = None) -> None:
    """End the program with the exit code that shells give to a signal."""
    raise SystemExit(128 + number)


@contextlib.contextmanager
def exiting_on_signals() -> Iterator[None]:
    """While this lasts, and until something else handles them, Ctrl-C and SIGTERM end the program at once."""
    handlers = {number: signal.signal(number, exit_at_once) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class StopOnSignal(Callback):
    """Lets Ctrl-C and SIGTERM end training when the next step begins, with `last.ckpt` saved; the second, at once."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._handlers: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._handlers = {number: signal.signal(number, self._receive) for number in SIGNALS}

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        stop = trainer.strategy.reduce_boolean_decision(self.received is not None, all=False)
        if stop and batch_idx % trainer.accumulate_grad_batches == 0:
            last = next(callback for callback in trainer.checkpoint_callbacks if isinstance(callback, LastCheckpoint))
            last.save(trainer)
            where = f"saved {last.path}" if last.path else "nothing to save"
            say(f"Stopped before step {trainer.global_step}: {where}")
            exit_at_once(self.received or signal.SIGTERM)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self.on_train_end(trainer, pl_module)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            exit_at_once(number)
        self.received = number
