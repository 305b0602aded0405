"""Export a classifier: python scripts/export.py runs/…/checkpoints/best.ckpt shirts.onnx (or shirts.pt2)"""

from pathlib import Path

from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import reported
from classifiers.inference.export import export, images_to_check
from classifiers.inference.prediction import load_classifier

if __name__ == "__main__":
    parser = StrictParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("checkpoint", type=Path, help="checkpoint of a run: all that is needed is in it")
    parser.add_argument("out", type=Path, help="file to write: .onnx, or .pt2 for torch.export.load")
    arguments = parser.parse_args()
    with reported():
        model = load_classifier(arguments.checkpoint, device="cpu")
        images, what = images_to_check(model)
        difference = export(model, arguments.out, images)
        pixels, classes = ", ".join(map(str, model.image_shape)), len(model.class_names)
        print(f"{arguments.out} maps uint8 pixels (B, {pixels}) to probabilities (B, {classes})")
        print(f"largest difference from PyTorch on {len(images):,} {what}: {difference:.1e}")
