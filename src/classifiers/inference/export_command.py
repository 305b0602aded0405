"""Export a classifier: export runs/…/checkpoints/best.ckpt shirts.onnx (or shirts.pt2)"""

from collections.abc import Sequence
from pathlib import Path

from classifiers.data import ImageDataModule
from classifiers.data.image_files import MODES
from classifiers.experiment import ExperimentCLI, UserError, open_run
from classifiers.experiment.command.parser import StrictParser
from classifiers.inference.checkpoint_options import add_checkpoint, load
from classifiers.inference.export import export, images_to_check
from classifiers.inference.int8 import export_int8
from classifiers.inference.preparation import in_short


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} export", description=__doc__)
    add_checkpoint(parser)
    parser.add_argument("out", type=Path, help="file to write: .onnx, or .pt2 for torch.export.load")
    parser.add_argument(
        "--int8", action="store_true", help="compute in 8 bits, by ranges on the training images of the run's own data"
    )
    parser.add_argument("--margin", type=float, default=0.01, help="share of right answers that 8 bits may cost")
    given = parser.parse_args(arguments)
    model = load(given, device="cpu")
    if given.int8:
        found = export_int8(model, given.out, _data(given.checkpoint, cli), given.margin)
        told = f"accuracy on {found.images:,} validation images: {found.int8:.2%} in 8 bits, {found.float32:.2%} in 32"
    else:
        images, what = images_to_check(model)
        difference = export(model, given.out, images)
        told = f"largest difference from PyTorch on {len(images):,} {what}: {difference:.1e}"
    assert model.image_shape is not None
    pixels, classes = ", ".join(map(str, model.image_shape)), len(model.class_names)
    print(f"{given.out} maps uint8 pixels (B, {pixels}) to probabilities (B, {classes})")
    if model.image_shape[0] in MODES:
        print(f"of a picture: {in_short(model.image_shape, model.resize)}; its metadata say how")
    print(told)


def _data(checkpoint: Path, cli: type[ExperimentCLI]) -> ImageDataModule:
    """That of the run which the checkpoint lies in."""
    folder = checkpoint.resolve().parent.parent
    if not (folder / "config.yaml").exists():
        raise UserError(f"--int8 measures on the run's own data, and {checkpoint} lies in no run folder")
    data = open_run(folder, cli).data
    assert isinstance(data, ImageDataModule)
    return data
