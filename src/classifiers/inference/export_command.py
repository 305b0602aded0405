"""Export a classifier: export runs/…/checkpoints/best.ckpt shirts.onnx (or shirts.pt2)"""

from collections.abc import Sequence
from pathlib import Path

from classifiers.experiment import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.inference.checkpoint_options import add_checkpoint, load
from classifiers.inference.export import export, images_to_check


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} export", description=__doc__)
    add_checkpoint(parser)
    parser.add_argument("out", type=Path, help="file to write: .onnx, or .pt2 for torch.export.load")
    given = parser.parse_args(arguments)
    model = load(given, device="cpu")
    images, what = images_to_check(model)
    difference = export(model, given.out, images)
    pixels, classes = ", ".join(map(str, model.image_shape or ())), len(model.class_names)
    print(f"{given.out} maps uint8 pixels (B, {pixels}) to probabilities (B, {classes})")
    print(f"largest difference from PyTorch on {len(images):,} {what}: {difference:.1e}")
