"""Classes of image files."""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from classifiers.classifier import ImageClassifier
from classifiers.data.image_files import MODES, quietly, read_image, resized
from classifiers.data.resizing import Resize
from classifiers.experiment import UserError
from classifiers.experiment.errors import one_line

Picture = str | Path | Image.Image | Tensor  # a file, an image of PIL's, or uint8 pixels (C, H, W)
OnBatch = Callable[[Sequence[Any], Tensor, Tensor], None]


def classify(
    model: ImageClassifier | Sequence[ImageClassifier],
    pictures: Picture | Sequence[Picture],
    batch_size: int = 128,
    on_error: Callable[[UserError], None] | None = None,
    on_batch: Sequence[OnBatch] = (),
) -> Generator[tuple[Any, Tensor], None, None]:
    """Yield each of `pictures`, or the only one, in order, and its class probabilities `(K,)`, a batch at a time: of
    several models, which are on one device, their mean.

    One that can't be read is left out, and the UserError handed to `on_error`; None raises it. Before a batch is
    yielded, its pictures, as uint8 `(B, C, H, W)` too, and their probabilities `(B, K)` are given to each `on_batch`.
    """
    if isinstance(pictures, str | Path | Image.Image) or (isinstance(pictures, Tensor) and pictures.ndim == 3):
        pictures = [pictures]
    models = [model] if isinstance(model, ImageClassifier) else [*model]
    require_alike(models)
    shape, resize, device = models[0].image_shape, models[0].resize, models[0].device
    if shape is None or shape[0] not in MODES:
        raise UserError(f"image files are of 1 or 3 channels, and the model takes images of shape {shape}")
    for one in models:
        one.eval()
    with quietly(), _threads() as pool:
        for start in range(0, len(pictures), batch_size):
            batch = pictures[start : start + batch_size]
            reading = [(picture, pool.submit(_pixels, picture, shape, resize)) for picture in batch]
            read, images = [], []
            for picture, image in reading:
                try:
                    images.append(image.result())
                    read.append(picture)
                except UserError as error:
                    if on_error is None:
                        raise
                    on_error(error)
            if images:
                pixels = torch.stack(images).to(device)
                with torch.no_grad():
                    probabilities = torch.stack([one.probabilities(one(pixels)) for one in models]).mean(0)
                for look in on_batch:
                    look(read, pixels, probabilities)
                yield from zip(read, probabilities.cpu(), strict=True)


def require_alike(models: Sequence[ImageClassifier]) -> None:
    """Raise UserError unless all models take the same pictures and know the same classes."""
    for what in ("class_names", "image_shape", "resize"):
        values = [getattr(model, what) for model in models]
        if other := next((value for value in values if value != values[0]), None):
            raise UserError(f"models of {what} {values[0]} and {other} can't be averaged: give those of one data set")


@contextlib.contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that leave undone, in the end, what they haven't begun."""
    pool = ThreadPoolExecutor()
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _pixels(picture: Picture, shape: Sequence[int], resize: Resize) -> Tensor:
    """A picture as uint8 `(C, H, W)` of that shape."""
    if isinstance(picture, str | Path):
        return read_image(picture, shape, resize)
    if isinstance(picture, Image.Image):
        try:
            return resized(picture, shape, resize)
        except Exception as error:  # PIL's decoders raise anything at damaged files
            raise UserError(f"an image of PIL's can't be read: {one_line(error)}") from error
    if not isinstance(picture, Tensor):
        raise UserError(f"a picture is a {type(picture).__name__}: give a file, an image of PIL's, or a uint8 tensor")
    if picture.dtype != torch.uint8 or picture.shape != torch.Size(shape):
        found = f"{picture.dtype} {tuple(picture.shape)}"
        raise UserError(f"an image of {found}: give uint8 {tuple(shape)}, a file, or an image of PIL's")
    return picture
