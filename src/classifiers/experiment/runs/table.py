"""The runs in some folders, and one table of them all."""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from classifiers.experiment.errors import USER_ERRORS, UserError, one_line
from classifiers.experiment.runs.history import best_row, read_history
from classifiers.experiment.settings import flat

METRICS = ("val/acc", "test/acc")  # of a validation and a test
QUIET = ("default_root_dir", "enable_progress_bar", "enable_model_summary")  # nothing follows from these
NO_SETTINGS = ("experiment", "seed_everything", "figures", "resume", *(f"trainer.{name}" for name in QUIET))
DAMAGE = (OSError, ValueError, TypeError, LookupError, RecursionError, csv.Error, yaml.YAMLError, *USER_ERRORS)

Row = dict[str, Any]  # the values of a run under the names of the columns; None where it has none


class Entry(NamedTuple):
    """What a run folder tells: which run it is, its settings under the names of their options, what it reached."""

    which: Row
    settings: Row
    reached: Row
    known: Sequence[str] = ()  # metrics


def find_runs(folders: Sequence[Path]) -> list[Path]:
    """The run folders, finished or not, anywhere in `folders`.

    Raises:
        UserError: a folder that isn't there, or no run in any.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}")
    found = {path.parent for folder in folders for path in folder.rglob("config.yaml")}
    if not found:
        raise UserError(f"there are no runs in {', '.join(map(str, folders))}")
    return sorted(found)


def read_run(folder: Path, metrics: Sequence[str] = METRICS) -> Entry:
    """What `config.yaml` tells, and `metrics.json`; before that is there, the best row so far of `metrics.csv`.

    Raises:
        UserError: one of them is damaged.
    """
    path = folder / "metrics.json"
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text())
        if not isinstance(config, dict) or "best_checkpoint" not in config:
            raise ValueError("its config.yaml is not that of a fit")
        settings = {name: written(value) for name, value in flat(config).items()}
        if finished := path.exists():
            found = dict(json.loads(path.read_text()))
        else:
            best = BestCheckpoint(**config["best_checkpoint"])
            found = best_row(read_history(folder), str(best.monitor), best.mode) or {}
        reached: Row = {name: float(found[name]) if name in found else None for name in (*metrics, "seconds")}
    except DAMAGE as error:
        raise UserError(f"the run {folder} is damaged: {one_line(error)}") from error
    return Entry(
        {"experiment": settings.get("experiment"), "run": folder.name, "seed": settings.get("seed_everything")},
        {name: value for name, value in settings.items() if name not in NO_SETTINGS},
        {**reached, "finished": finished, "folder": str(folder.absolute())},
        [
            name
            for name, value in found.items()
            if isinstance(value, float) and name not in ("seconds", "epoch", "step")
        ],
    )


def table(runs: Sequence[Entry]) -> tuple[list[Row], list[str]]:
    """A row for each of the `runs`, and which columns are settings: those in which the runs that have them differ.

    A setting has the shortest end of its name that no other column has.
    """
    names = dict.fromkeys(name for run in runs for name in run.settings)
    values = {name: {run.settings[name] for run in runs if name in run.settings} for name in names}
    differing = [name for name in names if len(values[name]) > 1]
    columns = [*runs[0].which, *differing, *runs[0].reached]
    short = {name: shortest(name, columns) for name in differing}
    settings = ({short[name]: run.settings.get(name) for name in differing} for run in runs)
    rows = [{**run.which, **given, **run.reached} for run, given in zip(runs, settings, strict=True)]
    return rows, list(short.values())


def sort_rows(rows: Sequence[Row], column: str) -> list[Row]:
    """Accuracies fall, all else rises; rows without a value come last.

    Raises:
        UserError: the rows have no such column.
    """
    if column not in rows[0]:
        raise UserError(f"there is no column {column} to sort by, but {', '.join(rows[0])}")

    def place(row: Row) -> tuple[int, float, str]:
        value = row[column]
        value = value[0] if isinstance(value, tuple) else value
        if isinstance(value, int | float):
            return 0, -value if column.endswith(("acc", "accuracy")) else value, ""
        return (2, 0, "") if value is None else (1, 0, value)

    return sorted(rows, key=place)


def written(value: Any) -> str | int | float:
    """A setting as a person would write it: a number as it is, a class by its name, with its arguments if any."""
    if isinstance(value, int | float):
        return value
    if isinstance(value, list):
        return f"[{', '.join(str(written(item)) for item in value)}]"
    if isinstance(value, dict):
        arguments = ", ".join(f"{name}={written(item)}" for name, item in dict(value.get("init_args") or {}).items())
        return f"{written(value.get('class_path'))}{f'({arguments})' if arguments else ''}"
    return "null" if value is None else re.sub(r"^[a-z]\w*(\.\w+)*\.(?=[A-Z]\w*$)", "", str(value))


def shortest(name: str, names: Sequence[str]) -> str:
    """The shortest end of an option's `name` that no other of the `names` has."""
    parts = name.split(".")
    ends = (".".join(parts[-count:]) for count in range(1, len(parts)))
    return next((end for end in ends if sum(f".{other}".endswith(f".{end}") for other in names) == 1), name)
