"""Run loops in processes of their own, in turns, and keep what each took."""

import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[1]
CONFIGS = SCRIPTS.parent / "configs"


@dataclass(frozen=True)
class Row:
    """One line of the table: ours, what it is measured against, and the figure that counts with what it must be."""

    section: str
    case: str
    ours: str
    theirs: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "×"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least or -inf) <= self.value <= (self.at_most or inf)


@dataclass(frozen=True)
class Bench:
    """What all sections share: where the data is, how many rounds, and whom to tell what is measured just now; and how
    many files there are in `large`.
    """

    root: Path
    rounds: int
    tell: Callable[[str], None]
    files: int = 50_000
    curves: dict[str, Any] = field(default_factory=dict)  # accuracy over time, by recipe

    def options(self, config: str) -> list[str]:
        return [f"--config={CONFIGS}/{config}.yaml", f"--data.root={self.root}"]

    def in_turns(self, sides: Mapping[str, Callable[[], Any]], key: Callable[[Any], float] = float) -> dict[str, float]:
        """The median of each side over the rounds, of what `key` gives; each round measures every side once."""
        values: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(self.rounds):
            for name, measure in sides.items():
                self.tell(f"{name}, round {turn + 1} of {self.rounds}")
                values[name].append(key(measure()))
        return {name: statistics.median(found) for name, found in values.items()}


@dataclass(frozen=True)
class Timing:
    """What the clock of one process saw."""

    begun: float  # when the process was started; all times in seconds since 1970
    started: float  # when its loop did
    steps: list[float]
    epochs: list[tuple[float, float]]  # time, accuracy
    memory: float  # peak resident until the last of them, in MiB
    result: dict[str, Any]  # metrics.json of a fit

    @property
    def seconds_a_step(self) -> float:
        """The mean of the steps after the first sixth."""
        warm_up = len(self.steps) // 6
        return (self.steps[-1] - self.steps[warm_up]) / (len(self.steps) - 1 - warm_up)

    def curve(self) -> dict[str, Any]:
        """Accuracy over seconds from the loop's start to the end of each epoch, validation included."""
        seconds, accuracy = [end - self.started for end, _ in self.epochs], [accuracy for _, accuracy in self.epochs]
        return {"seconds": seconds, "accuracy": accuracy, "test": self.result.get("test/acc")}


def fit(*options: str, steps: int = 0) -> Timing:
    """Run `classifiers fit` with everything on, for some steps or to its end."""
    clock = ["--trainer.callbacks+=benchmarks.clock.Clock", f"--trainer.callbacks.steps={steps}"]
    with tempfile.TemporaryDirectory() as folder:
        files = [f"--trainer.callbacks.out={folder}/clock.json", f"--trainer.default_root_dir={folder}"]
        return _timed(Path(folder), "-m", "classifiers", "fit", *options, *clock, *files)


def loop(name: str, *arguments: str, steps: int = 0) -> Timing:
    """Run one of the loops of `loops.py`, for some steps or to its end."""
    with tempfile.TemporaryDirectory() as folder:
        return _timed(Path(folder), "-m", "benchmarks.loops", name, f"{folder}/clock.json", str(steps), *arguments)


def _timed(folder: Path, *command: str) -> Timing:
    begun = time.time()
    python(*command)
    results = [json.loads(path.read_text()) for path in folder.glob("*/*/metrics.json")]
    clock = json.loads((folder / "clock.json").read_text())
    return Timing(begun, result=results[0] if results else {}, **clock)


def python(*arguments: str) -> float:
    """The seconds that Python takes on a terminal of its own; a RuntimeError with its last words if it fails."""
    screen, terminal = pty.openpty()
    path = os.pathsep.join([str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    printed = bytearray()
    begun = time.perf_counter()
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        with suppress(OSError):  # the last process that had the terminal has ended
            while text := os.read(screen, 65536):
                printed += text
    seconds = time.perf_counter() - begun
    os.close(screen)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{printed.decode(errors='replace')[-2000:]}")
    return seconds
