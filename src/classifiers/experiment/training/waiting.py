"""Signals while other machines are awaited: there the main thread, which alone handles them, isn't in Python."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from threading import Thread, current_thread, main_thread

from lightning.pytorch import Trainer

from classifiers.experiment.training.stop_on_signal import SIGNALS


def end_at_signals_while_waiting(trainer: Trainer) -> None:
    """Let Ctrl-C and SIGTERM end this process, and those it has started, while it waits for those of other machines."""
    if trainer.num_nodes == 1 or current_thread() is not main_thread():
        return
    wait = trainer.strategy.setup_environment

    def setup_environment() -> None:
        with _ending_at_signals(trainer):
            wait()

    trainer.strategy.setup_environment = setup_environment  # type: ignore[method-assign]


@contextlib.contextmanager
def _ending_at_signals(trainer: Trainer) -> Iterator[None]:
    told, tells = socket.socketpair()
    tells.setblocking(False)
    before = signal.set_wakeup_fd(tells.fileno())  # which gets the number of a signal, whatever the main thread does
    Thread(target=_end_when_told, args=(told, trainer), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        tells.close()


def _end_when_told(told: socket.socket, trainer: Trainer) -> None:
    with told:
        while number := told.recv(1):
            if number[0] in SIGNALS:
                if trainer.strategy.launcher:
                    trainer.strategy.launcher.kill(signal.SIGTERM)
                os._exit(128 + number[0])
