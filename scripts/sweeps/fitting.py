"""A fit in a process of its own: what happens to it happens to nobody else."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import classifiers
from classifiers.cli import main
from classifiers.history import Row, read_history

PROCESSES = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Fit:
    """A fit at work, which leaves its run and `log.txt` in `folder`."""

    process: BaseProcess
    folder: Path

    @property
    def run(self) -> Path | None:
        return next((path.parent for path in self.folder.glob("*/config.yaml")), None)

    @property
    def history(self) -> list[Row]:
        return read_history(self.run) if self.run else []

    def values(self, metric: str) -> Iterator[float]:
        """Those of a metric, each soon after it is known; the last one when the fit has ended."""
        known, ended = 0, False
        while not ended:
            self.process.join(0.5)
            ended = not self.process.is_alive()
            values = [row[metric] for row in self.history if metric in row]
            yield from values[known:]
            known = len(values)

    def failure(self) -> str:
        """Why it failed; empty if it didn't."""
        code = self.process.exitcode
        lines = (self.folder / "log.txt").read_text(errors="replace").strip().splitlines()
        if code and code > 0 and lines:
            return lines[-1].removeprefix("error: ")
        return f"it ended with exit code {code}" if code else ""


@contextmanager
def fitting(options: Sequence[str], folder: Path) -> Iterator[Fit]:
    """`classifiers fit` with its run in `folder`; where this block ends before it, it is stopped in order."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.txt").touch()
    own = [f"--experiment={folder.name}", f"--trainer.default_root_dir={folder.parent}"]
    process = PROCESSES.Process(target=_fit, args=([*options, *own], folder / "log.txt"))
    process.start()
    try:
        yield Fit(process, folder)
    finally:
        process.terminate()
        try:
            process.join()
        finally:
            process.kill()  # a second Ctrl-C doesn't wait


def _fit(options: Sequence[str], log: Path) -> None:
    os.setsid()  # Ctrl-C is the sweep's, which stops the fit itself
    threading.Thread(target=_stop_with_the_sweep, daemon=True).start()
    with log.open("w") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    program = Path(classifiers.__file__).with_name("__main__.py")
    sys.argv = [str(program), "fit", *options]  # which Lightning runs again for each further device
    main(sys.argv[1:])


def _stop_with_the_sweep() -> None:
    """Not even `kill -9` of the sweep leaves a fit behind."""
    multiprocessing.parent_process().join()
    os.kill(os.getpid(), signal.SIGTERM)
