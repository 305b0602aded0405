"""Fit configs with several seeds each and table the results: python scripts/repeat.py configs/*.yaml"""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    main(["repeat", *sys.argv[1:]])
