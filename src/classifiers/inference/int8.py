"""An ONNX model that computes in 8 bits, and whether it is still as good."""

import json
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.data.image_dataset import ImageDataset
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import output_file
from classifiers.inference.export import export
from classifiers.metrics import class_indices

CALIBRATION, BATCH = 512, 128  # images


class Accuracies(NamedTuple):
    """The shares of the same validation images that either file classifies right."""

    float32: float
    int8: float
    images: int


def export_int8(model: ImageClassifier, path: Path, data: ImageDataModule, margin: float) -> Accuracies:
    """Write `model` to `path` as an ONNX model of 8-bit weights and activations, as `export` writes one of 32 bits.

    Their ranges are those on training images of `data`, which is set up here; its metadata have the accuracies as
    `int8`, on all validation images.

    Raises:
        UserError: another ending, a package that is missing, a file that can't be written, or one that classifies
            fewer images right than that of 32 bits, by a larger share than `margin`. Nothing is written then.
    """
    if path.suffix != ".onnx":
        raise UserError(f"can't export to {path}: a file of 8 bits is an ONNX model, and its name ends in .onnx")
    data.prepare_data()
    data.setup("fit")
    images, _ = data.train_set.first(CALIBRATION)
    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        export(model, whole, images)
        _quantise(whole, small, images)
        found = Accuracies(_accuracy(whole, data.val_set), _accuracy(small, data.val_set), len(data.val_set))
        if not found.int8 >= found.float32 - margin:
            lost = f"{found.float32:.2%} of {found.images:,} validation images, and 8 bits {found.int8:.2%}"
            raise UserError(f"32 bits classify {lost}, more than {margin:.2%} fewer: it is not written (--margin)")
        with output_file(path, "another name") as file:
            file.write(_with_metadata(small, {"int8": json.dumps(found._asdict())}))
    return found


def _quantise(whole: Path, small: Path, images: Tensor) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Batches(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches: Iterator[Tensor] = iter(torch.split(images, BATCH))

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self.batches, None)
            return None if batch is None else {"images": batch.numpy()}

    prepared = whole.with_name("prepared.onnx")
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)  # of advice on what is done here
    try:
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        quantize_static(prepared, small, Batches(), per_channel=True, weight_type=QuantType.QInt8)
    finally:
        logging.disable(level)


def _accuracy(path: Path, images: ImageDataset) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    right = 0
    for batch, targets in images.batches(torch.arange(len(images)), BATCH):
        (probabilities,) = session.run(None, {"images": batch.cpu().numpy()})
        right += int((torch.from_numpy(probabilities).argmax(1) == class_indices(targets).cpu()).sum())
    return right / len(images)


def _with_metadata(path: Path, further: dict[str, str]) -> bytes:
    import onnx

    made = onnx.load(path)
    for key, value in further.items():
        made.metadata_props.add(key=key, value=value)
    content: bytes = made.SerializeToString()
    return content
