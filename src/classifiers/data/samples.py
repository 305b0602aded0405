"""Any map-style dataset of torch's as images and labels: all at once into memory, or a batch at a time."""

from math import prod
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import IterableDataset

from classifiers.data.decoding import tracked
from classifiers.data.identity import distinct, pixel_words
from classifiers.data.pixels import as_tensor, as_uint8, channels_first
from classifiers.experiment.errors import UserError


class Samples:
    """Stands in for the uint8 tensor `(N, C, H, W)` of the images of `dataset` at `indices`: decoded when indexed.

    `identities` `(N,)` are what they are known by.
    """

    def __init__(self, dataset: Any, indices: Tensor, identities: Tensor) -> None:
        self.dataset, self.indices, self.identities = dataset, indices, identities

    def __len__(self) -> int:
        return len(self.indices)

    def at(self, index: Tensor) -> "Samples":
        """Those at the indices `(B,)`, still to be decoded."""
        return Samples(self.dataset, self.indices[index], self.identities[index])

    def __getitem__(self, index: Tensor) -> Tensor:
        """The images `(B, C, H, W)` at the indices `(B,)`."""
        return channels_first(torch.stack([_sample(self.dataset, one)[0] for one in self.indices[index].tolist()]))


def read_samples(dataset: Any, memory_limit: float) -> tuple[Tensor | Samples, list[Any]]:
    """The images, in memory if they take no more than `memory_limit` GiB, and the labels of all samples.

    Raises:
        UserError: it is no map-style dataset, or has samples that aren't an image and its label, all of one size.
    """
    name = type(dataset).__name__
    map_style = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    if isinstance(dataset, IterableDataset) or not map_style or not (count := len(dataset)):
        raise UserError(f"{name} is empty or no map-style dataset with __len__ and __getitem__: give list(dataset)")
    shape = _sample(dataset, 0)[0].shape
    in_memory = count * prod(shape) <= memory_limit * 2**30
    images, labels, words = torch.empty(count * in_memory, *shape, dtype=torch.uint8), [], []
    for index in tracked(range(count), count, "Reading", count):
        image, label = _sample(dataset, index)
        if image.shape != shape:
            found = f"image 0 of {name} is {tuple(shape)} and image {index} is {tuple(image.shape)}"
            cure = "a transform that makes all alike, such as Resize((64, 64)), or write them to a folder"
            raise UserError(f"{found}: give the dataset {cure} for ImageFolderDataModule")
        if in_memory:
            images[index] = image
        else:
            words.append(pixel_words(channels_first(image[None])))
        labels.append(label.tolist() if hasattr(label, "tolist") else label)
    if in_memory:
        return channels_first(images), labels
    return Samples(dataset, torch.arange(count), distinct(np.concatenate(words))), labels


def _sample(dataset: Any, index: int) -> tuple[Tensor, Any]:
    """An image as uint8, of whatever shape, and its label."""
    sample, what = dataset[index], f"sample {index} of {type(dataset).__name__}"
    if not (isinstance(sample, tuple | list) and len(sample) == 2):
        raise UserError(f"{what} is a {type(sample).__name__}: it must be a pair (image, label)")
    image, label = sample
    if isinstance(image, Image.Image) and image.mode not in ("1", "L", "RGB"):
        raise UserError(f"{what} is an image of mode {image.mode}: give the dataset a transform to L or RGB")
    return as_uint8(as_tensor(image, f"the image of {what}"), f"the image of {what}", highest=1), label
