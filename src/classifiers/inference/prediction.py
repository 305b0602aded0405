"""Classes of image files, from a checkpoint alone."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from classifiers.classifier import ImageClassifier
from classifiers.data.image_files import MODES, read_image
from classifiers.experiment.checkpoints.reading import read_checkpoint, rebuild
from classifiers.experiment.errors import UserError


def load_classifier(path: str | Path, device: str = "auto") -> ImageClassifier:
    """The model of the checkpoint at `path`, ready to predict on `device`; `auto` is an accelerator if there is one.

    Raises:
        UserError: it can't be rebuilt, doesn't say what its images and classes are, or there is no such device.
    """
    model = rebuild(ImageClassifier, read_checkpoint(path), path)
    if not (model.image_shape and model.class_names):
        raise UserError(f"{path} doesn't hold its image_shape and class_names, as older ones don't: fit again")
    auto = torch.accelerator.current_accelerator(check_available=True) or "cpu"
    try:
        return model.to(auto if device == "auto" else device).eval()
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"there is no device {device} here: --device auto works anywhere") from error


def classify(
    model: ImageClassifier,
    paths: Sequence[str | Path],
    batch_size: int = 128,
    on_error: Callable[[UserError], None] | None = None,
) -> Iterator[tuple[str | Path, Tensor]]:
    """Yield each image file of `paths`, in order, and its class probabilities `(K,)`, a batch at a time.

    One that can't be read is left out, and the UserError handed to `on_error`; None raises it.
    """
    shape = model.image_shape
    if shape is None or shape[0] not in MODES:
        raise UserError(f"image files are of 1 or 3 channels, and the model takes images of shape {shape}")
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), batch_size):
            reading = [(path, pool.submit(read_image, path, shape)) for path in paths[start : start + batch_size]]
            read, images = [], []
            for path, image in reading:
                try:
                    images.append(image.result())
                    read.append(path)
                except UserError as error:
                    if on_error is None:
                        raise
                    on_error(error)
            if images:
                with torch.inference_mode():
                    logits = model(torch.stack(images).to(model.device))
                yield from zip(read, model.probabilities(logits).cpu(), strict=True)
