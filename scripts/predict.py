"""Classify image files: python scripts/predict.py runs/…/checkpoints/best.ckpt shoe.jpg photos --csv classes.csv"""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    main(["predict-files", *sys.argv[1:]])
