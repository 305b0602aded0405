"""What `metrics.csv` tells of a run."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path

Row = dict[str, float]  # the metrics of one moment; with their epoch and step


def read_history(folder: Path) -> list[Row]:
    """The rows of `metrics.csv` in a run folder, none if there is no such file; ValueError if it is damaged."""
    path = folder / "metrics.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def best_row(rows: Iterable[Row], monitor: str, mode: str) -> Row | None:
    """The first row in which `monitor` is the least ("min") or the most ("max"), None if it is never there."""
    monitored = [row for row in rows if not math.isnan(row.get(monitor, math.nan))]
    better = min if mode == "min" else max
    return better(monitored, key=lambda row: row[monitor], default=None)
