"""Many image files into one file of their pixels, with an index of them."""

import threading
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from classifiers.data.cache_folder import OTHERWISE, NoRoomError, images_of
from classifiers.data.decoded_images import DecodedImages
from classifiers.data.decoded_index import DecodedIndex
from classifiers.data.decoding import failures_of
from classifiers.data.file_paths import FilePaths
from classifiers.data.file_states import FileStates
from classifiers.data.files import sampled
from classifiers.data.image_files import read_image
from classifiers.data.mapped_images import header
from classifiers.data.resizing import Resize
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import replacing

Read = Callable[[int], tuple[Tensor, str]]  # an image (C, H, W) by its row, and what `sampled` says of its file


def write_images(
    index: Path,
    paths: FilePaths,
    states: FileStates,
    shape: Sequence[int],
    resize: Resize,
    before: DecodedImages | None,
) -> None:
    """Decode the files at `paths`, which are in these `states`, and write them and their `index`, as a whole or not at
    all; but copy what `before` has of files in the same state.

    Raises:
        NoRoomError: the disk is full.
        UserError: files change meanwhile.
    """
    read = _reader(paths, shape, resize)
    if before:
        read = _copier(read, states, before)
    images = images_of(index)
    samples, turn = np.zeros(len(paths), "S40"), threading.Lock()
    try:
        with replacing(images) as file:
            file.write(header((len(paths), *shape)))
            start, size = file.tell(), prod(shape)
            file.truncate(start + size * len(paths))

            def write(row: int) -> None:
                pixels, sample = read(row)
                samples[row] = sample.encode()
                with turn:
                    file.seek(start + size * row)
                    file.write(np.ascontiguousarray(pixels).data)

            failures = failures_of(len(paths), write, "Decoding")
            if changes := FileStates.of(paths).changes(states):
                raise UserError(f"files in {paths.root} changed while they were decoded ({changes}): start again")
        DecodedIndex(states, samples, failures).write(index)
    except OSError as error:
        raise NoRoomError(f"can't write {images} ({error.strerror}): {OTHERWISE}") from error


def _reader(paths: FilePaths, shape: Sequence[int], resize: Resize) -> Read:
    def read(row: int) -> tuple[Tensor, str]:
        image = read_image(paths[row], shape, resize)
        try:
            return image, sampled(paths[row])
        except OSError as error:
            raise UserError(f"{paths[row]} went away ({error.strerror})") from error

    return read


def _copier(read: Read, states: FileStates, before: DecodedImages) -> Read:
    """Reads what isn't there `before`, or couldn't be read then."""
    here, there = states.unchanged(before.index.states)
    readable = ~np.isin(there, [*before.index.failures])
    places = np.full(len(states), -1)
    places[here[readable]] = there[readable]

    def copy(row: int) -> tuple[Tensor, str]:
        place = places[row]
        if place < 0:
            return read(row)
        return before.images[torch.tensor([place])][0], before.index.samples[place].decode()

    return copy
