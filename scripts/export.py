"""Export a classifier: python scripts/export.py runs/…/checkpoints/best.ckpt shirts.onnx (or shirts.pt2)"""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    main(["export", *sys.argv[1:]])
