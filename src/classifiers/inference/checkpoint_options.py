"""What commands need to know of a checkpoint that they use alone."""

from pathlib import Path
from typing import Any

from classifiers.classifier import ImageClassifier
from classifiers.experiment.command.parser import StrictParser
from classifiers.inference.loading import load_classifier


def add_checkpoint(parser: StrictParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="checkpoint of a run: all that is needed is in it")
    parser.add_argument(
        "--net", action="append", default=[], metavar="CLASS_PATH",
        help="class of your own that the checkpoint names, such as my_nets.TinyNet: to be imported; may be repeated",
    )  # fmt: skip


def load(given: Any, device: str, checkpoint: Path | None = None) -> ImageClassifier:
    """The classifier that the options of `add_checkpoint` name, or that of another `checkpoint`."""
    return load_classifier(checkpoint or given.checkpoint, device, trusted=given.net, cure="name it with --net {}")
