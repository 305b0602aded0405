"""Fit configs with several seeds each and table the results: repeat configs/*.yaml"""

from collections.abc import Sequence
from pathlib import Path

from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.paths import project_root
from classifiers.experiment.studies.fitting import stoppable
from classifiers.experiment.studies.repeat import repeat
from classifiers.experiment.studies.results import markdown


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} repeat", description=__doc__)
    parser.add_argument("configs", nargs="+", type=Path, help="config files; published.yaml is passed over")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each config, with the seeds 0, 1, … (default 3)")
    out = project_root() / "runs/repeat"
    parser.add_argument("--out", type=Path, default=out, help="folder of the runs and tables")
    given = parser.parse_args(arguments)
    with stoppable("runs"):
        configs = [config for config in given.configs if config.name != "published.yaml"]
        print(markdown(repeat(cli, configs, given.seeds, given.out)))
