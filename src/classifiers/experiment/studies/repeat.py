"""Fit configs with several seeds each, in processes of their own; what is finished stays finished."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.command.explain import missing_file
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import require_writable
from classifiers.experiment.runs.history import read_history
from classifiers.experiment.studies.fitting import fitting
from classifiers.experiment.studies.results import Row, markdown, row


@dataclass(frozen=True)
class Run:
    """One fit of a config with a seed and `overrides`, under `out` in a folder that names the content of these."""

    cli: type[ExperimentCLI]
    config: Path
    seed: int
    out: Path
    overrides: tuple[str, ...] = ()
    fold: str = ""  # which, if of several

    @property
    def experiment(self) -> str:
        content = self.config.read_bytes() + "".join(f"\0{option}" for option in self.overrides).encode()
        digest = hashlib.sha256(content).hexdigest()[:8]
        return f"{self.config.stem}-{digest}/seed-{self.seed}"

    def result(self) -> dict[str, Any] | None:
        """The metrics of the finished run, and under `last` those of its last epoch; None if it isn't finished."""
        for path in sorted((self.out / self.experiment).glob("*/metrics.json")):
            last = {name: value for row in read_history(path.parent) for name, value in row.items()}
            return {**json.loads(path.read_text()), "last": last}
        return None

    def fit(self) -> Iterator[float]:
        """Fit; yields after each epoch which share of them is done."""
        options = [f"--config={self.config}", *self.overrides, f"--seed_everything={self.seed}"]
        with fitting(self.cli, options, self.out, self.experiment) as fit:
            for epochs, _ in enumerate(fit.values(), start=1):
                yield epochs / fit.max_epochs if fit.max_epochs else 0.0
        if reason := fit.failure():
            raise UserError(f"{self.config} with seed {self.seed}{self.fold} failed: {reason}")


def repeat(
    cli: type[ExperimentCLI],
    configs: Sequence[Path],
    seeds: int,
    out: Path,
    overrides: Sequence[str] = (),
    metrics: Sequence[str] | None = None,
    folds: int | None = None,
) -> list[Row]:
    """Fit each config with the seeds 0 to `seeds` - 1, except those finished in `out` before; write `table.*` there.

    Args:
        cli: the task.
        configs: files.
        seeds: how many.
        out: the folder of all runs.
        overrides: options of each fit, over those of its config.
        metrics: what the table has of `metrics.json`; None means what the task is told by on a test, or, over folds, on
            the fold that is held out too.
        folds: of the data, on each of which every fit validates once; None means that its own split stands.

    Raises:
        UserError: a config that isn't there, fewer than one seed, a fit that fails, a folder that can't be written, no
            such metric.
    """
    for option, count, least in (("--seeds", seeds, 1), ("--folds", folds, 2)):
        if count is not None and count < least:
            raise UserError(f"{option} is {count}: it must be at least {least}")
    for config in configs:
        if not config.is_file():
            raise UserError(missing_file(config))
    require_writable(out, "--out")
    parts: dict[str, tuple[str, ...]] = {"": ()}
    if folds:
        parts = {f", fold {fold}": (f"--data.folds={folds}", f"--data.fold={fold}") for fold in range(folds)}
    runs = [
        Run(cli, config, seed, out.absolute(), (*overrides, *options), fold)
        for config in configs
        for seed in range(seeds)
        for fold, options in parts.items()
    ]
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        task = progress.add_task("", total=len(runs))
        for done, run in enumerate(runs):
            progress.update(task, completed=done, description=f"{run.config.stem}, seed {run.seed}{run.fold}")
            if run.result() is None:
                for share in run.fit():
                    progress.update(task, completed=done + share)
        progress.update(task, completed=len(runs), description=f"{len(runs)} runs")
    rows = [
        row(
            config,
            [result for run in runs if run.config == config and (result := run.result())],
            cli.metrics,
            metrics or (cli.metrics if folds else None),
            folds or 1,
        )
        for config in configs
    ]
    (out / "table.md").write_text(markdown(rows))
    (out / "table.json").write_text(json.dumps([row.plain() for row in rows], indent=2) + "\n")
    return rows
