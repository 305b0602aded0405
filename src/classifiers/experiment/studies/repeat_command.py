"""Fit configs with several seeds each and table the results: repeat configs/*.yaml --trainer.max_epochs 3"""

from collections.abc import Sequence
from pathlib import Path

from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import UserError
from classifiers.experiment.paths import project_root
from classifiers.experiment.studies.fitting import stoppable
from classifiers.experiment.studies.repeat import repeat
from classifiers.experiment.studies.results import markdown


def divided(arguments: Sequence[str], options: Sequence[str]) -> tuple[list[str], list[str]]:
    """The `arguments` of this command, and those of each fit: with a dot in their names, or among its `options`."""
    own: list[str] = []
    fits: list[str] = []
    current = own
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name == "--config":  # as fit has it; here a config needs no name
            current = own
            own += [value] if value else []
            continue
        if argument.startswith("-"):
            current = fits if "." in name or name.removeprefix("--") in options else own
        elif current is fits and ("=" in fits[-1] or not fits[-1].startswith("-")):
            current = own
        current.append(argument)
    return own, fits


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} repeat", description=f"{__doc__} (any option of a fit behind them)")
    parser.add_argument("configs", nargs="*", type=Path, help="config files; published.yaml is passed over")
    parser.add_argument(
        "--seeds", type=int | None, help="fits of each config, with the seeds 0, 1, … (default 3; of folds 1)"
    )
    parser.add_argument(
        "--folds", type=int | None, help="fits of each seed, each validated on another of so many folds"
    )
    parser.add_argument("--metrics", type=str, nargs="+", help="which of metrics.json (default: of the test)")
    out = project_root() / "runs/repeat"
    parser.add_argument("--out", type=Path, default=out, help="folder of the runs and tables")
    own, overrides = divided(arguments, ("data", "model", "trainer", *cli.options))
    given = parser.parse_args(own)
    configs = [config for config in given.configs if config.name != "published.yaml"]
    if not configs:
        raise UserError("repeat needs a config: name its file")
    seeds = given.seeds if given.seeds is not None else 1 if given.folds else 3
    with stoppable("runs"):
        print(markdown(repeat(cli, configs, seeds, given.out, overrides, given.metrics, given.folds)))
