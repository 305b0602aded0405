"""The command line in processes of its own, which real signals can end at any moment."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from classifiers.cli import main

# Its processes are forked from one that has imported all but started no thread.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["classifiers.cli"])


@dataclass
class Running:
    """A command line at work; `process.exitcode` is negative if a signal ended it."""

    process: BaseProcess
    folder: Path

    def wait(self) -> int:
        """The exit code; whatever worker processes it left behind are ended."""
        self.process.join()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # type: ignore[arg-type]
        assert self.process.exitcode is not None
        return self.process.exitcode

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()


def start(
    folder: Path,
    *arguments: str,
    before: Callable[[], None] | None = None,
    program: Callable[[Sequence[str]], None] = main,
) -> Running:
    """Start `classifiers ARGUMENTS` or another program, in `folder` and with output into it, after `before`."""
    folder.mkdir(parents=True, exist_ok=True)
    process = FORKS.Process(target=_run, args=(folder, arguments, before, program))
    process.start()
    return Running(process, folder)


def wait_for_file(process: subprocess.Popen[str], folder: Path, pattern: str) -> None:
    """Until `folder` has a file of that `pattern`, which `process` writes before it ends."""
    while not list(folder.glob(pattern)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"it ended with {process.wait(timeout=0.05)}")


def finished(folder: Path, *arguments: str, before: Callable[[], None] | None = None) -> Running:
    """As `start`, but done, without an error."""
    running = start(folder, *arguments, before=before)
    assert running.wait() == 0, running.err
    return running


def set_environment(values: dict[str, str]) -> None:
    """Something to do `before`."""
    os.environ.update(values)


def end_at_a_terminal(folder: Path, *arguments: str, seconds: float = 120) -> tuple[int, str]:
    """The exit code of a command line whose output is a terminal, and what that showed; one that hangs is killed."""
    shows, terminal = os.openpty()
    running = start(folder, *arguments, before=partial(_show_at, os.ttyname(terminal)))
    shown: list[bytes] = []

    def keep() -> None:
        with contextlib.suppress(OSError):  # when nobody has the terminal open any more
            while part := os.read(shows, 65536):
                shown.append(part)

    reader = threading.Thread(target=keep)
    reader.start()
    running.process.join(timeout=seconds)
    running.process.kill()
    code = running.wait()
    os.close(terminal)
    reader.join()
    os.close(shows)
    return code, b"".join(shown).decode()


def _show_at(terminal: str) -> None:
    opened = os.open(terminal, os.O_RDWR)
    for name, number in (("stdout", 1), ("stderr", 2)):
        os.dup2(opened, number)
        setattr(sys, name, open(number, "w", closefd=False, buffering=1))  # noqa: SIM115
    os.close(opened)


def _run(
    folder: Path,
    arguments: tuple[str, ...],
    before: Callable[[], None] | None,
    program: Callable[[Sequence[str]], None],
) -> None:
    os.setsid()
    os.chdir(folder)
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
        with Path(name).open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    torch.set_num_threads(1)
    if before:
        before()
    program(arguments)
