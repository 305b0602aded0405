"""Export a classifier: export runs/…/checkpoints/best.ckpt shirts.onnx (or shirts.pt2)"""

from collections.abc import Sequence
from pathlib import Path

from classifiers.data.image_files import MODES
from classifiers.experiment import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.inference.checkpoint_options import add_checkpoint, load
from classifiers.inference.export import export, images_to_check
from classifiers.inference.preparation import in_short


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} export", description=__doc__)
    add_checkpoint(parser)
    parser.add_argument("out", type=Path, help="file to write: .onnx, or .pt2 for torch.export.load")
    given = parser.parse_args(arguments)
    model = load(given, device="cpu")
    images, what = images_to_check(model)
    difference = export(model, given.out, images)
    assert model.image_shape is not None
    pixels, classes = ", ".join(map(str, model.image_shape)), len(model.class_names)
    print(f"{given.out} maps uint8 pixels (B, {pixels}) to probabilities (B, {classes})")
    if model.image_shape[0] in MODES:
        print(f"of a picture: {in_short(model.image_shape, model.resize)}; its metadata say how")
    print(f"largest difference from PyTorch on {len(images):,} {what}: {difference:.1e}")
