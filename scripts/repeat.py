"""Fit configs with several seeds each and table the results: python scripts/repeat.py configs/tutorials/*.yaml"""

import signal
import sys
from pathlib import Path

from benchmarks.repeat import repeat
from benchmarks.results import markdown

from classifiers.errors import reported
from classifiers.parser import StrictParser
from classifiers.paths import project_root

if __name__ == "__main__":
    parser = StrictParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("configs", nargs="+", type=Path, help="config files; published.yaml is passed over")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each config, with the seeds 0, 1, … (default 3)")
    parser.add_argument(
        "--out", type=Path, default=project_root() / "runs/repeat", help="folder of the runs and tables"
    )
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # the former too is ignored in the background of a shell
    with reported():
        try:
            configs = [config for config in arguments.configs if config.name != "published.yaml"]
            print(markdown(repeat(configs, arguments.seeds, arguments.out)))
        except KeyboardInterrupt:
            print("stopped: finished runs are kept, the same command goes on with the rest", file=sys.stderr)
            sys.exit(130)
