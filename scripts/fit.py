"""Fit, test and save a classifier: `classifiers fit`, with a default config where none is named."""

import sys

from classifiers.cli import main
from classifiers.experiment.paths import project_root

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if not any(argument.split("=")[0] in ("-c", "--config", "--resume") for argument in arguments):
        arguments = ["--config", str(project_root() / "configs/fashion_mnist.yaml"), *arguments]
    main(["fit", *arguments])
