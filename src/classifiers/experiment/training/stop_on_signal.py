"""An orderly end for a fit that is told to stop."""

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from classifiers.experiment.checkpoints.callbacks import LastCheckpoint, checkpoints_of
from classifiers.experiment.terminal import say

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def exit_at_once(number: int, frame: FrameType | None = None) -> None:
    """End the program with the exit code that shells give to a signal."""
    raise SystemExit(128 + number)


def handled(numbers: Iterable[signal.Signals], handler: Any) -> dict[signal.Signals, Any]:
    """Let `handler` handle these signals; returns who did before. Only the main thread can, elsewhere nobody."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in numbers}


def restore(handlers: Mapping[signal.Signals, Any]) -> None:
    """Give signals back to those who handled them before."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextlib.contextmanager
def exiting_on_signals() -> Iterator[None]:
    """While this lasts, and until something else handles them, Ctrl-C and SIGTERM end the program at once."""
    handlers = handled(SIGNALS, exit_at_once)
    try:
        yield
    finally:
        restore(handlers)


class StopOnSignal(Callback):
    """Lets Ctrl-C and SIGTERM end training when the next step begins, with `last.ckpt` saved; the second, at once.

    What Lightning does at Slurm's SIGUSR1, save a checkpoint and requeue the job, waits for the next step too. Several
    processes, which have to agree, do so every `log_every_n_steps`. It has to be the first callback: from a checkpoint
    of the moment in which others have begun a step, they would begin it twice.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._requeue = False
        self._last: list[LastCheckpoint] = []
        self._handlers: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._last = checkpoints_of(trainer, LastCheckpoint)
        requeues = callable(signal.getsignal(signal.SIGUSR1))
        self._handlers = handled((*SIGNALS, signal.SIGUSR1) if requeues else SIGNALS, self._receive)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._step_begins(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx and batch_idx % trainer.accumulate_grad_batches == 0:  # the first step began with the epoch
            self._step_begins(trainer, batch_idx)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        restore(self._handlers)
        self._handlers = {}

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """For a signal that came in the last validation."""
        self._stop_if_told(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self.on_train_end(trainer, pl_module)

    def _step_begins(self, trainer: Trainer, batch: int = 0) -> None:
        for last in self._last:
            last.step_begins(trainer, batch)
        steps = 1 if trainer.world_size == 1 else max(1, trainer.log_every_n_steps)  # type: ignore[attr-defined]
        if batch and trainer.global_step % steps:
            return
        if signal.SIGUSR1 in self._handlers and _any(trainer, self._requeue):
            self._requeue = False
            self._handlers[signal.SIGUSR1](signal.SIGUSR1, None)
        self._stop_if_told(trainer)

    def _stop_if_told(self, trainer: Trainer) -> None:
        if _any(trainer, self.received is not None):
            where = "nothing to save"
            for last in self._last:
                last.finish(trainer)
                where = f"saved {last.path}" if last.path else where
            say(f"Stopped before step {trainer.global_step}: {where}")
            exit_at_once(self.received or signal.SIGTERM)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGUSR1:
            self._requeue = True
        elif self.received is not None:
            exit_at_once(number)
        else:
            self.received = number


def _any(trainer: Trainer, decision: bool) -> bool:
    """Whether any of the processes decides so."""
    return trainer.strategy.reduce_boolean_decision(decision, all=False)
