"""List runs and what they reached: python scripts/runs.py runs/fashion_mnist --sort test/acc"""

import csv
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import UserError, reported
from classifiers.experiment.paths import project_root
from classifiers.experiment.runs.table import Row, Run, find_runs, read_run, sort_rows, table

FORMATS = {"val/acc": ".2%", "test/acc": ".2%", "seconds": ".0f"}
UNLIMITED = 10_000  # columns, where there is no terminal


def readable(folders: list[Path]) -> list[Run]:
    """The runs in `folders`; damaged ones are named on stderr and left out."""
    found, damaged = [], []
    for folder in find_runs(folders):
        try:
            found.append(read_run(folder))
        except UserError as error:
            damaged.append(error)
    if not found:
        raise damaged[0]
    for error in damaged:
        print(f"left out: {error}", file=sys.stderr)
    return found


def show(rows: list[Row], settings: list[str], console: Console) -> None:
    """Print the rows; settings that don't fit into the terminal stand below them, numbered."""
    drawn = draw(rows, settings)
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
    console.print(draw(rows, ["settings"]), "", below, sep="\n")


def draw(rows: list[Row], settings: list[str]) -> Table:
    drawn = Table(box=None, pad_edge=False)
    columns = ["experiment", "run", "seed", *settings, *FORMATS]
    for name in columns:
        fold = name == "experiment"
        drawn.add_column(name, justify="right" if name in FORMATS else "left", overflow="fold", no_wrap=not fold)
    for row in rows:
        drawn.add_row(*(cell(row, name) for name in columns))
    return drawn


def cell(row: Row, name: str) -> str:
    if name == "seconds" and not row["finished"]:
        return "unfinished"
    return "" if row[name] is None else f"{row[name]:{FORMATS.get(name, '')}}"


if __name__ == "__main__":
    parser = StrictParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folders", nargs="*", type=Path, default=[project_root() / "runs"], help="where to look")
    parser.add_argument("--sort", default="run", help="the column to sort by (default: run, the time of its start)")
    parser.add_argument("--csv", action="store_true", help="print CSV, with each run's folder")
    arguments = parser.parse_args()
    with reported():
        rows, settings = table(readable(arguments.folders))
        rows = sort_rows(rows, arguments.sort)
        if arguments.csv:
            writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        else:
            width = None if sys.stdout.isatty() else UNLIMITED
            show(rows, settings, Console(width=width, markup=False, emoji=False, highlight=False))
