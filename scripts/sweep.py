"""Try settings, keep the best: python scripts/sweep.py --config C.yaml --space S.yaml --trials 20 [options of fit]"""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    main(["sweep", *sys.argv[1:]])
