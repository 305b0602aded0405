"""Show a data set: python scripts/inspect_data.py --data CIFAR10DataModule --out cifar10.png"""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    main(["inspect", *sys.argv[1:]])
