"""Fit configs with several seeds each, in processes of their own; what is finished stays finished."""

import csv
import difflib
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from classifiers.errors import UserError
from classifiers.paths import project_root
from classifiers.results import Row, markdown, row


@dataclass(frozen=True)
class Run:
    """One fit of a config with a seed. It is looked for, and done, in a folder that names the config's content."""

    config: Path
    seed: int
    out: Path

    @property
    def experiment(self) -> str:
        digest = hashlib.sha256(self.config.read_bytes()).hexdigest()[:8]
        return f"{self.config.stem}-{digest}/seed-{self.seed}"

    def result(self) -> dict[str, Any] | None:
        """The metrics of the finished run, with its last epoch's under `last`; None if there is none."""
        for path in sorted((self.out / self.experiment).glob("*/metrics.json")):
            result: dict[str, Any] = json.loads(path.read_text())
            return {**result, "last": last_epoch(path.with_name("metrics.csv"))}
        return None

    def fit(self) -> Iterator[int]:
        """Fit in a process of its own; yields the number of finished epochs about every second."""
        options = [f"--config={self.config}", f"--seed_everything={self.seed}", f"--experiment={self.experiment}"]
        quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
        command = [
            sys.executable,
            "-m",
            "classifiers",
            "fit",
            *options,
            *quiet,
            f"--trainer.default_root_dir={self.out}",
        ]
        log = self.out / "log.txt"
        before = set(self.out.glob(f"{self.experiment}/*"))
        with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process:
            try:
                while process.poll() is None:
                    yield sum(
                        epochs(folder / "metrics.csv") for folder in set(self.out.glob(f"{self.experiment}/*")) - before
                    )
                    try:
                        process.wait(timeout=1)
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                process.kill()
        if process.returncode:
            reason = (log.read_text().strip().splitlines() or ["no output"])[-1].removeprefix("error: ")
            raise UserError(f"{self.config} with seed {self.seed} failed: {reason}")


def last_epoch(path: Path) -> dict[str, float]:
    """The last value of each metric in a `metrics.csv`."""
    with path.open(newline="") as file:
        return {name: float(value) for row in csv.DictReader(file) for name, value in row.items() if value}


def epochs(path: Path) -> int:
    """How many epochs a `metrics.csv` holds the validation of."""
    if not path.exists():
        return 0
    with path.open(newline="") as file:
        return sum(bool(row.get("val/loss")) for row in csv.DictReader(file))


def repeat(configs: Sequence[Path], seeds: int, out: Path) -> list[Row]:
    """Fit each config with the seeds 0 to `seeds` - 1, except those finished in `out` before; write `table.*` there.

    Raises:
        UserError: a config that isn't there, fewer than one seed, a fit that fails, a folder that can't be written.
    """
    if seeds < 1:
        raise UserError(f"--seeds is {seeds}: it must be at least 1")
    for config in configs:
        if not config.is_file():
            known = [str(path.relative_to(project_root())) for path in (project_root() / "configs").rglob("*.yaml")]
            near = difflib.get_close_matches(str(config), known, n=3, cutoff=0.4)
            raise UserError(f"there is no config {config}" + (f": near it is {', '.join(near)}" if near else ""))
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "log.txt").touch()
    except OSError as error:
        raise UserError(f"can't write to {out} ({error.strerror}): name another folder with --out") from error
    runs = [Run(config, seed, out.absolute()) for config in configs for seed in range(seeds)]
    lengths = [_max_epochs(run.config) for run in runs]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("epochs")
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("", total=sum(lengths))
        for index, run in enumerate(runs):
            progress.update(task, description=f"{run.config.stem}, seed {run.seed}", completed=sum(lengths[:index]))
            if run.result() is None:
                for done in run.fit():
                    progress.update(task, completed=sum(lengths[:index]) + done)
        progress.update(task, completed=sum(lengths), description="all runs")
    rows = [
        row(config, [result for run in runs if run.config == config and (result := run.result())]) for config in configs
    ]
    (out / "table.md").write_text(markdown(rows))
    (out / "table.json").write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return rows


def _max_epochs(config: Path) -> int:
    content = yaml.safe_load(config.read_text()) or {}
    epochs: int = content.get("trainer", {}).get("max_epochs", 10)
    return epochs
