"""Export a classifier: export runs/…/checkpoints/best.ckpt shirts.onnx (or shirts.pt2)"""

from collections.abc import Sequence
from pathlib import Path

from classifiers.experiment import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.inference.export import export, images_to_check
from classifiers.inference.prediction import load_classifier


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="checkpoint of a run: all that is needed is in it")
    parser.add_argument("out", type=Path, help="file to write: .onnx, or .pt2 for torch.export.load")
    given = parser.parse_args(arguments)
    model = load_classifier(given.checkpoint, device="cpu")
    images, what = images_to_check(model)
    difference = export(model, given.out, images)
    pixels, classes = ", ".join(map(str, model.image_shape or ())), len(model.class_names)
    print(f"{given.out} maps uint8 pixels (B, {pixels}) to probabilities (B, {classes})")
    print(f"largest difference from PyTorch on {len(images):,} {what}: {difference:.1e}")
