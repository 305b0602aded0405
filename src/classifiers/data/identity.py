"""What an image is known by wherever it lies, and random numbers that follow from that alone."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Words = NDArray[np.uint64]
CHUNK = 2**22  # bytes of pixels that are looked at together


def of_names(names: Iterable[str]) -> Tensor:
    """64 bits `(N,)` for each of the names."""
    return _as_tensor(np.array([_word(name) for name in names], np.uint64))


def of_pixels(images: Tensor) -> Tensor:
    """64 bits `(N,)` for each of the uint8 images `(N, ...)`, other ones for the second of two equal ones."""
    return distinct(pixel_words(images))


def pixel_words(images: Tensor) -> Words:
    """As `of_pixels`, but the same for equal images."""
    rows = images.detach().cpu().reshape(len(images), -1).numpy()
    width = -(-rows.shape[1] // 8)  # in words of 8 bytes
    factors = _mixed(np.arange(width, dtype=np.uint64)) | np.uint64(1)
    step = min(len(rows), max(1, CHUNK // (8 * width)))
    padded = np.zeros((step, 8 * width), np.uint8)
    found = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), step):
        chunk = rows[start : start + step]
        padded[: len(chunk), : rows.shape[1]] = chunk
        found[start : start + step] = (padded[: len(chunk)].view(np.uint64) * factors).sum(1)
    return _mixed(found)


def distinct(words: Words) -> Tensor:
    """The words `(N,)`, but other ones for the second of two equal ones, and so on."""
    return _as_tensor(_mixed(words + _mixed(_copies(words))))


def random_numbers(identities: Tensor, draw: str) -> Tensor:
    """A number `(N,)` in [0, 1) for each image; the text `draw` tells one drawing from another."""
    mixed = _mixed(identities.numpy().view(np.uint64) ^ np.uint64(_word(draw)))
    return torch.from_numpy((mixed >> np.uint64(11)) * 2.0**-53)


def _copies(values: Words) -> Words:
    """How many equal ones stand before each of the values `(N,)`."""
    order = values.argsort(kind="stable")
    places = np.arange(len(values))
    first = np.r_[True, values[order][1:] != values[order][:-1]] if len(values) else np.empty(0, bool)
    copies = np.empty(len(values), np.uint64)
    copies[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return copies


def _word(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogateescape"), digest_size=8).digest(), "little")


def _mixed(words: Words) -> Words:
    """After Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): its last step."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _as_tensor(words: Words) -> Tensor:
    return torch.from_numpy(words.view(np.int64))
