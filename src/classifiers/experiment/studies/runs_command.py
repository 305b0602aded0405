"""List runs and what they reached: runs runs/fashion_mnist --sort test/acc"""

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import UserError
from classifiers.experiment.paths import project_root
from classifiers.experiment.runs.table import Entry, Row, find_runs, read_run, sort_rows, table
from classifiers.experiment.studies.groups import Spread, grouped
from classifiers.experiment.studies.results import require_known
from classifiers.experiment.terminal import UNLIMITED, shown, table_console


def readable(folders: Sequence[Path], metrics: Sequence[str]) -> list[Entry]:
    """The runs in `folders`; damaged ones are named on stderr and left out."""
    found, damaged = [], []
    for folder in find_runs(folders):
        try:
            found.append(read_run(folder, metrics))
        except UserError as error:
            damaged.append(error)
    if not found:
        raise damaged[0]
    for reason in damaged:
        print(f"left out: {reason}", file=sys.stderr)
    return found


def show(rows: list[Row], settings: list[str], metrics: Sequence[str], console: Console) -> None:
    """Print the rows; settings that don't fit into the terminal stand below them, numbered."""
    drawn = draw(rows, settings, metrics)
    if console.measure(drawn, options=console.options.update(width=UNLIMITED)).maximum <= console.width:
        console.print(drawn)
        return
    numbers: dict[str, int] = {}
    for row in rows:
        given = ", ".join(f"{name}={row[name]}" for name in settings if row[name] is not None)
        row["settings"] = numbers.setdefault(given, len(numbers) + 1)
    below = Table.grid(padding=(0, 2))
    for given, number in numbers.items():
        below.add_row(str(number), given)
    console.print(draw(rows, ["settings"], metrics), "", below, sep="\n")


def draw(rows: list[Row], settings: list[str], metrics: Sequence[str]) -> Table:
    drawn = Table(box=None, pad_edge=False)
    numbers = [*metrics, "seconds"]
    which = ["runs"] if "runs" in rows[0] else ["run", "seed"]
    columns = ["experiment", *which, *settings, *numbers]
    for name in columns:
        fold = name == "experiment"
        drawn.add_column(name, justify="right" if name in numbers else "left", overflow="fold", no_wrap=not fold)
    for row in rows:
        drawn.add_row(*(cell(row, name, name in metrics) for name in columns))
    return drawn


def cell(row: Row, name: str, is_metric: bool) -> str:
    if name == "seconds" and not row["finished"]:
        return "unfinished"
    if row[name] is None:
        return ""
    values = row[name] if isinstance(row[name], Spread) else [row[name]]
    if name == "seconds" or is_metric:
        return " ± ".join(f"{value:.0f}" if name == "seconds" else shown(name, value) for value in values)
    return str(row[name])


def flat_cells(row: Row) -> Iterator[tuple[str, Any]]:
    """The cells of a row, each of one value."""
    for name, value in row.items():
        if isinstance(value, Spread):
            yield from ((name, value.mean), (f"{name}_std", value.std))
        else:
            yield name, value


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} runs", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[project_root() / "runs"], help="where to look")
    parser.add_argument("--sort", default="run", help="the column to sort by (default: run, the time of its start)")
    parser.add_argument("--metrics", type=str, nargs="+", help=f"which to show (default: {' '.join(cli.metrics)})")
    parser.add_argument("--group", action="store_true", help="runs that differ in their seed alone as one, mean ± std")
    parser.add_argument("--csv", action="store_true", help="print CSV, with each run's folder")
    given = parser.parse_args(arguments)
    metrics = given.metrics or cli.metrics
    runs = readable(given.folders, metrics)
    require_known(given.metrics or (), dict.fromkeys(name for run in runs for name in run.known))
    if given.group:
        runs = grouped(runs, metrics)
    if not runs:
        raise UserError("no run is finished, so that there is nothing to group: leave out --group")
    rows, settings = table(runs)
    rows = sort_rows(rows, "experiment" if given.group and given.sort == "run" else given.sort)
    if given.csv:
        plain = [dict(flat_cells(row)) for row in rows]
        writer = csv.DictWriter(sys.stdout, plain[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(plain)
    else:
        show(rows, settings, metrics, table_console())
