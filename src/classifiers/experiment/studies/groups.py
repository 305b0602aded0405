"""Runs that differ in their seed alone, as one."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from classifiers.experiment.runs.table import Entry
from classifiers.experiment.studies.results import mean_and_std


class Spread(NamedTuple):
    """Of a metric over several runs."""

    mean: float
    std: float


def grouped(runs: Sequence[Entry], metrics: Sequence[str]) -> list[Entry]:
    """The finished `runs`, those of the same settings as one, with a `Spread` of each metric."""
    groups: dict[tuple[tuple[str, object], ...], list[Entry]] = {}
    for run in runs:
        if run.reached["finished"]:
            groups.setdefault(tuple(run.settings.items()), []).append(run)
    return [_one(group, metrics) for group in groups.values()]


def _one(group: Sequence[Entry], metrics: Sequence[str]) -> Entry:
    names = sorted({str(run.which["experiment"]) for run in group})
    experiment = names[0] if len(names) == 1 else Path(os.path.commonpath(names)).name or f"{len(names)} experiments"
    reached = {}
    for name in (*metrics, "seconds"):
        values = [run.reached[name] for run in group if run.reached[name] is not None]
        reached[name] = Spread(*mean_and_std(values)) if values else None
    return Entry({"experiment": experiment, "runs": len(group)}, group[0].settings, {**reached, "finished": True})
