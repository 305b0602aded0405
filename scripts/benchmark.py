"""Measure fits beside what they are compared with, in turns: python scripts/benchmark.py --only tutorials loader"""

import contextlib
import json
import os
import platform
import re
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import torch
from benchmarks.equal_time import draw, equal_time
from benchmarks.fine_tuning import fine_tuning
from benchmarks.fits import growth, memory, overhead, start_up, tutorials
from benchmarks.gpu import gpu, gpu_recipes
from benchmarks.large import large
from benchmarks.loader import loader
from benchmarks.measure import Bench, Row
from benchmarks.pays import pays
from rich.box import MARKDOWN
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import UserError, reported
from classifiers.experiment.files import require_writable, write_whole
from classifiers.experiment.paths import project_root

NEED_GPU = (gpu, gpu_recipes)
LONG = (equal_time, pays, fine_tuning, large)
SECTIONS = {
    section.__name__.replace("_", "-"): section
    for section in (tutorials, overhead, loader, start_up, memory, growth, *NEED_GPU, *LONG)
}


def table(rows: list[Row]) -> Table:
    drawn = Table("section", "case", "ours", "against", "ratio", "target", "met", box=MARKDOWN)
    for row in rows:
        bounds = ((row.at_least, "≥"), (row.at_most, "≤"))
        target = ", ".join(f"{sign} {bound:g}" for bound, sign in bounds if bound is not None)
        met = {True: "yes", False: "**no**", None: ""}[row.met]
        drawn.add_row(row.section, row.case, row.ours, row.theirs, f"{row.value:.3g}{row.unit}", target, met)
    return drawn


def processor() -> str:
    """Its name, as Linux knows it, or else its kind."""
    with contextlib.suppress(OSError, IndexError):
        return re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())[0]
    return platform.machine()


def write(out: Path, rows: list[Row], bench: Bench) -> None:
    machine = {
        "cpu": processor(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rounds": bench.rounds,
    }
    content = {"machine": machine, "rows": [{**asdict(row), "met": row.met} for row in rows], "curves": bench.curves}
    write_whole(out, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    parser = StrictParser(description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--only", nargs="+", type=Literal[tuple(SECTIONS)], help="sections; those that can be run if none"
    )
    parser.add_argument("--full", action="store_true", help="what takes long too: hours more")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (default 3)")
    parser.add_argument("--files", type=int, default=50_000, help="of large, 175 KB each on the disk (default 50,000)")
    parser.add_argument("--root", type=Path, default=project_root() / "data", help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=project_root() / "runs/benchmark.json", help="file of the results")
    arguments = parser.parse_args()
    with reported(), Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as progress:
        if arguments.rounds < 1:
            raise UserError(f"--rounds is {arguments.rounds}: it must be at least 1")
        task = progress.add_task("")
        bench = Bench(
            arguments.root.absolute(),
            arguments.rounds,
            lambda text: progress.update(task, description=text),
            arguments.files,
        )
        rows: list[Row] = []
        require_writable(arguments.out.parent, "--out")
        left_out = (*(() if arguments.full else LONG), *(() if torch.cuda.is_available() else NEED_GPU))
        for name in arguments.only or [name for name, section in SECTIONS.items() if section not in left_out]:
            for row in SECTIONS[name](bench):
                rows.append(row)
                progress.print(f"{row.section}, {row.case}: {row.ours} against {row.theirs}", highlight=False)
                write(arguments.out, rows, bench)
    Console(highlight=False, width=120).print(table(rows))
    if bench.curves:
        draw(bench.curves, arguments.out.with_suffix(".png"))
