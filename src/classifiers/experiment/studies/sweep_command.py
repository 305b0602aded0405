"""Try settings, keep the best: sweep --config C.yaml --space S.yaml --trials 20 [options of fit]"""

import argparse
import contextlib
import io
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml
from filelock import FileLock
from rich.console import Console
from rich.table import Table

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import require_writable
from classifiers.experiment.paths import at_home, project_root
from classifiers.experiment.settings import flat
from classifiers.experiment.studies.fitting import stoppable
from classifiers.experiment.studies.space import Space
from classifiers.experiment.studies.study import PRUNERS, database_errors, open_study
from classifiers.experiment.studies.trials import Trials, as_options
from classifiers.experiment.terminal import shown, table_console

OF_A_MACHINE = (
    "data.root",
    "data.num_workers",
    *(f"trainer.{name}" for name in ("default_root_dir", "accelerator", "devices", "enable_progress_bar")),
)
SHOWN = 10  # of the best trials


class Parser(argparse.ArgumentParser):
    """Its errors are one line; unlike a StrictParser, it can leave options that it doesn't know to `fit`."""

    def error(self, message: str) -> NoReturn:
        raise UserError(message)


def parsed(cli: type[ExperimentCLI], options: Sequence[str]) -> dict[str, Any]:
    """All settings of a fit with these options; a mistake in them ends the program as it ends a fit."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            cli(["fit", *options, "--print_config"])
        except SystemExit as end:
            if end.code:
                raise
    return dict(yaml.safe_load(printed.getvalue()))


def fixed(config: dict[str, Any], space: Space) -> dict[str, str]:
    """The settings that all trials of a study must share, on whatever machine they are fitted."""
    own = (*OF_A_MACHINE, *space.distributions)
    return {name: str(value) for name, value in flat(config).items() if not name.startswith(own)}


def sweep(cli: type[ExperimentCLI], arguments: argparse.Namespace, options: list[str]) -> Trials:
    """Check all before anything is written, open the study and work off its trials."""
    if arguments.trials < 1:
        raise UserError(f"--trials is {arguments.trials}: it must be at least 1")
    space = Space(arguments.space)
    for corner in space.corners():
        config = parsed(cli, [*options, *as_options(corner)])
    best = BestCheckpoint(**config["best_checkpoint"])
    name = arguments.study or arguments.space.stem
    folder = at_home(config["trainer"]["default_root_dir"] or project_root() / "runs").absolute() / "sweeps" / name
    url = arguments.storage or f"sqlite:///{folder / 'study.db'}"
    require_writable(folder, "--trainer.default_root_dir")
    with database_errors(url):
        with FileLock(folder / ".lock"):
            study = open_study(url, name, best, space.describe(), fixed(config, space), arguments.pruner)
        trials = Trials(cli, study, space, options, best, folder, arguments.trials)
        trials.work_off()
    return trials


def show(trials: Trials, options: list[str], console: Console) -> None:
    """Print how the trials ended, the best of them, and the command that fits and tests the best one."""
    ends = ", ".join(f"{count} {end}" for end, count in trials.ends().items())
    console.print(f"trials in {trials.folder}: {ends}", soft_wrap=True)
    best = trials.ranked()
    if not best:
        raise UserError(f"no trial finished: {trials.folder}/trial-*/log.txt tells why")
    table = Table(box=None, pad_edge=False)
    for name in ("trial", *trials.space.short.values(), *best[0].user_attrs["reached"]):
        table.add_column(name, overflow="fold")
    for trial in best[:SHOWN]:
        reached = (shown(name, value) for name, value in trial.user_attrs["reached"].items())
        table.add_row(f"trial-{trial.number}", *trials.space.settings(trial.params).values(), *reached)
    console.print(table)
    program = Path(trials.cli.program())
    start = [trials.cli.name] if program.name == "__main__.py" else ["python", str(program)]
    command = [*start, "fit", *options, *as_options(trials.space.settings(best[0].params))]
    run = trials.folder / best[0].user_attrs["run"]
    where = f"in {run}" if run.exists() else f"trial-{best[0].number}, whose run is on another machine"
    console.print(f"\nThe best is {where}; to fit it again and test it:", soft_wrap=True)
    console.print(shlex.join(command), soft_wrap=True)


def main(cli: type[ExperimentCLI], given: Sequence[str]) -> None:
    about: dict[str, Any] = {"description": __doc__, "epilog": "Any other options are those of fit."}
    parser = Parser(prog=f"{cli.name} sweep", allow_abbrev=False, **about)
    parser.add_argument("--space", type=Path, required=True, help="YAML file: what to try for which options of fit")
    parser.add_argument("--trials", type=int, required=True, help="how many the study shall have in the end")
    parser.add_argument("--study", help="its name (default: that of the space's file)")
    parser.add_argument("--storage", help="URL of its database, also of other machines (default: an SQLite file)")
    parser.add_argument("--pruner", choices=PRUNERS, default="median", help="what ends poor trials (default: median)")
    with stoppable("trials"):
        arguments, options = parser.parse_known_args(given)
        show(sweep(cli, arguments, options), options, table_console())
