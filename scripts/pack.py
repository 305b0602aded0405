"""Pack a folder of images for StreamDataModule: python scripts/pack.py FOLDER OUT"""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    main(["pack", *sys.argv[1:]])
