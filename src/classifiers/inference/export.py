"""A classifier as one file that runs without this package: raw pixels in, class probabilities out."""

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.data.image_files import MODES
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import output_file
from classifiers.inference.preparation import preparation

TOLERANCE = 1e-4  # of a probability
Program = Callable[[Tensor], Tensor]


def export(model: ImageClassifier, path: Path, images: Tensor) -> float:
    """Write `model` to `path`, as an ONNX model if that ends in `.onnx`, as a program of `torch.export` if in `.pt2`.

    Either maps uint8 images `(B, C, H, W)` to probabilities `(B, K)` for any B, and has as JSON in its metadata
    `class_names`, `image_shape`, and the `preparation` that makes such an image of a picture.

    Returns:
        The largest difference between what the file, loaded again, and PyTorch make of `images`.

    Raises:
        UserError: another ending, a package that is missing, a file that can't be written, or one that disagrees with
            PyTorch by more than `TOLERANCE`. Nothing is written then.
    """
    if path.suffix not in WRITERS:
        raise UserError(f"can't export to {path}: its name must end in {' or '.join(WRITERS)}")
    told: dict[str, Any] = {"class_names": model.class_names, "image_shape": model.image_shape}
    if model.image_shape and model.image_shape[0] in MODES:
        told["preparation"] = preparation(model.image_shape, model.resize)
    metadata = {name: json.dumps(value) for name, value in told.items()}
    program = nn.Sequential(model, model.activation).eval()
    with torch.inference_mode():
        expected = program(images)
    with output_file(path, "another name") as file, torch.compiler.set_stance("force_eager"):
        exported = WRITERS[path.suffix](program, torch.zeros_like(images[:2]), file, metadata)
        found = torch.cat([exported(images[:1]), exported(images[1:])])
        difference: float = (found - expected).abs().max().item()
        if not difference <= TOLERANCE:  # a NaN neither
            by = f"{difference:.2g}, more than {TOLERANCE:g}"
            raise UserError(f"what {path} would hold differs from PyTorch by {by}: it is not written")
    return difference


def _write_onnx(program: nn.Module, images: Tensor, file: BinaryIO, metadata: dict[str, str]) -> Program:
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f'ONNX needs more packages: pip install -e ".[export]" ({error})') from error
    names: dict[str, Any] = {"input_names": ["images"], "output_names": ["probabilities"]}
    made = torch.onnx.export(program, (images,), dynamic_shapes=({0: "batch"},), verbose=False, **names)
    assert made is not None
    made.model.metadata_props.update(metadata)
    file.write(made.model_proto.SerializeToString())
    file.flush()
    session = onnxruntime.InferenceSession(file.name, providers=["CPUExecutionProvider"])
    return lambda batch: torch.from_numpy(session.run(None, {"images": batch.numpy()})[0])


def _write_program(program: nn.Module, images: Tensor, file: BinaryIO, metadata: dict[str, str]) -> Program:
    exported = torch.export.export(program, (images,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    with warnings.catch_warnings(action="ignore"):  # about weights that are laid out channels last, or read only
        torch.export.save(exported, file, extra_files=metadata)
        file.flush()
        with Path(file.name).open("rb") as written:
            loaded: Program = torch.export.load(written).module()
    return loaded


WRITERS = {".onnx": _write_onnx, ".pt2": _write_program}


def images_to_check(model: ImageClassifier, count: int = 1000) -> tuple[Tensor, str]:
    """`count` uint8 images, and what they are: test images of the data set with the model's classes, or else noise.

    That data set is one that needs no arguments, and has its files where it looks for them.
    """
    for kind in subclasses(ImageDataModule):
        names = kind.__dict__.get("class_names", ())
        if isinstance(names, Sequence) and tuple(names) == model.class_names != ():
            with contextlib.suppress(Exception):  # somebody's own may raise anything where it isn't asked for
                data = kind()
                images, _ = data.checked(*data.load(train=False), "load")
                if data.image_shape == model.image_shape:
                    return images[torch.arange(len(images))[:count]], f"test images of {kind.__name__}"
    assert model.image_shape is not None
    draw = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, *model.image_shape), dtype=torch.uint8, generator=draw), "images of noise"


def subclasses(kind: Any) -> Iterator[Any]:
    """All classes that derive from `kind`, directly or not."""
    for derived in kind.__subclasses__():
        yield derived
        yield from subclasses(derived)
