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
    """Lets Ctrl-C and SIGTERM end training when the next step begins, with `last.ckpt` saved; the second, at once.

    What Lightning does at Slurm's SIGUSR1, save a checkpoint and requeue the job, waits for the next step too.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._requeue = False
        self._handlers: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._handlers = {number: signal.signal(number, self._receive) for number in SIGNALS}
        if callable(signal.getsignal(signal.SIGUSR1)):
            self._handlers[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._receive)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        begins = batch_idx % trainer.accumulate_grad_batches == 0
        slurm = signal.SIGUSR1 in self._handlers
        if begins and slurm and trainer.strategy.reduce_boolean_decision(self._requeue, all=False):
            self._requeue = False
            self._handlers[signal.SIGUSR1](signal.SIGUSR1, None)
        stop = trainer.strategy.reduce_boolean_decision(self.received is not None, all=False)
        if begins and stop:
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
        if number == signal.SIGUSR1:
            self._requeue = True
        elif self.received is not None:
            exit_at_once(number)
        else:
            self.received = number
