"""Fit configs with several seeds each and table the results: python scripts/repeat.py configs/tutorials/*.yaml"""

from pathlib import Path

from benchmarks.repeat import repeat
from benchmarks.results import markdown

from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import reported
from classifiers.experiment.paths import project_root
from classifiers.experiment.studies.fitting import stoppable

if __name__ == "__main__":
    parser = StrictParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("configs", nargs="+", type=Path, help="config files; published.yaml is passed over")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each config, with the seeds 0, 1, … (default 3)")
    parser.add_argument(
        "--out", type=Path, default=project_root() / "runs/repeat", help="folder of the runs and tables"
    )
    arguments = parser.parse_args()
    with reported(), stoppable("runs"):
        configs = [config for config in arguments.configs if config.name != "published.yaml"]
        print(markdown(repeat(configs, arguments.seeds, arguments.out)))
