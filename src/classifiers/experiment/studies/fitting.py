"""A fit in a process of its own: what happens to it happens to nobody else."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import yaml

from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.runs.history import Row, read_history
from classifiers.experiment.training.stop_on_signal import SIGNALS, handled

PROCESSES = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Fit:
    """A fit at work, which leaves its run and `log.txt` in `folder`, beside any `earlier` runs."""

    process: BaseProcess
    folder: Path
    earlier: frozenset[Path]

    @property
    def run(self) -> Path | None:
        """Its run folder, once that is there."""
        return next(iter(runs_in(self.folder) - self.earlier), None)

    @cached_property
    def config(self) -> dict[str, Any]:
        """Its settings, once its run folder is there."""
        assert self.run is not None
        return dict(yaml.safe_load((self.run / "config.yaml").read_text()))

    @property
    def max_epochs(self) -> int | None:
        """How many epochs it shall have; None if it has no such end."""
        epochs: int | None = self.config["trainer"]["max_epochs"]
        return epochs if epochs is not None and epochs > 0 else None

    @property
    def history(self) -> list[Row]:
        """What it has logged so far."""
        return read_history(self.run) if self.run else []

    def values(self, metric: str | None = None) -> Iterator[float]:
        """Those of a metric (None: the monitored one), each soon after it is known; the last when the fit has ended."""
        known, ended = 0, False
        while not ended:
            self.process.join(0.5)
            ended = not self.process.is_alive()
            name = metric or (self.run and self.config["best_checkpoint"]["monitor"])
            values = [row[name] for row in self.history if name in row]
            yield from values[known:]
            known = len(values)

    def failure(self) -> str:
        """Why it failed; empty if it didn't."""
        code = self.process.exitcode
        lines = (self.folder / "log.txt").read_text(errors="replace").strip().splitlines()
        if code and code > 0 and lines:
            return lines[-1].removeprefix("error: ")
        return f"it ended with exit code {code}" if code else ""


def runs_in(folder: Path) -> frozenset[Path]:
    """The run folders in `folder`."""
    return frozenset(path.parent for path in folder.glob("*/config.yaml"))


@contextmanager
def stoppable(what: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the program in order: exit code 130, and a line that says which `what` is kept."""
    handled(SIGNALS, signal.default_int_handler)  # Ctrl-C too, which is ignored in the background of a shell
    try:
        yield
    except KeyboardInterrupt:
        print(f"stopped: finished {what} are kept, the same command goes on with the rest", file=sys.stderr)
        sys.exit(130)


@contextmanager
def fitting(cli: type[ExperimentCLI], options: Sequence[str], root: Path, experiment: str) -> Iterator[Fit]:
    """`fit` of `cli` with its run in `root/experiment`; where this block ends before it, it is stopped in order."""
    folder = root / experiment
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.txt").touch()
    earlier = runs_in(folder)
    own = [f"--experiment={experiment}", f"--trainer.default_root_dir={root}"]
    process = PROCESSES.Process(target=_fit, args=(cli, [*options, *own], folder / "log.txt"))
    process.start()
    try:
        yield Fit(process, folder, earlier)
    finally:
        process.terminate()
        try:
            process.join()
        finally:
            process.kill()  # a second Ctrl-C doesn't wait


def _fit(cli: type[ExperimentCLI], options: Sequence[str], log: Path) -> None:
    os.setsid()  # Ctrl-C is that of the process that started it, which stops the fit itself
    threading.Thread(target=_stop_with_the_parent, daemon=True).start()
    with log.open("w") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = [cli.program(), "fit", *options]  # which Lightning runs again for each further device
    cli.main(sys.argv[1:])


def _stop_with_the_parent() -> None:
    """Not even `kill -9` of the process that started it leaves a fit behind."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
