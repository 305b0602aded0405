"""List runs and what they reached: python scripts/runs.py runs/fashion_mnist --sort test/acc"""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    main(["runs", *sys.argv[1:]])
