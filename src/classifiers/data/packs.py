"""Packs: image files in chunks of litdata's format, and beside them a table of what they are and where they stand.

Of a chunk, only the bytes of one image are ever read, so that nothing in it is run or unpickled.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from torch import Tensor

from classifiers.data.class_folders import PARTS
from classifiers.data.file_paths import FilePaths
from classifiers.data.files import Files
from classifiers.experiment.errors import UserError, one_line

TABLE = "images.npz"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class PackedFiles(Files):
    """Files in chunks, at `places` `(N, 3)`: the number of the chunk, the first byte there, how many there are.

    They are `known` `(N,)` by what they were known by in their folder; their paths are `CLASS/NAME`.
    """

    places: Tensor
    known: Tensor

    def identities(self, class_names: Sequence[str], samples: Iterable[str] | None = None) -> Tensor:
        return self.known


def chunk_name(number: int) -> str:
    """As litdata names what one process writes."""
    return f"chunk-0-{number}.bin"


def chunk_sizes(places: NDArray[np.int64]) -> dict[str, int]:
    """How many bytes each chunk has, by its name, of the places `(N, 3)` of its images."""
    sizes = np.zeros(places[:, 0].max() + 1, np.int64)
    np.maximum.at(sizes, places[:, 0], places[:, 1] + places[:, 2])
    return {chunk_name(number): size for number, size in enumerate(sizes.tolist())}


def table(class_names: Sequence[str], parts: NDArray[np.int64], files: PackedFiles) -> dict[str, NDArray[Any]]:
    """The arrays of a pack's table; `parts` `(N,)` are places in `PARTS`."""
    return {
        "version": np.array(VERSION),
        "class_names": np.array([os.fsencode(name) for name in class_names]),
        "parts": parts,
        "names": np.array([os.fsencode(name) for name in files.names]),
        "labels": files.labels.numpy(),
        "places": files.places.numpy(),
        "known": files.known.numpy(),
    }


def read_table(content: bytes, source: str) -> tuple[tuple[str, ...], dict[str, PackedFiles]]:
    """What a table says: the names of the classes, sorted, and the files of each part that has some.

    Raises:
        UserError: the `content` of the file `source` is no such table, or a damaged one.
    """
    try:
        with NpzFile(BytesIO(content), allow_pickle=False) as arrays:
            columns = {name: arrays[name] for name in arrays.files}
        if columns["version"] != VERSION:
            raise ValueError(f"its version is {columns['version']}, not {VERSION}")
        folders, names = (columns[name].astype(np.bytes_) for name in ("class_names", "names"))
        labels, places, known = (
            columns[name].astype(np.int64, casting="safe") for name in ("labels", "places", "known")
        )
        fit = len(labels) == len(known) == len(columns["parts"]) == len(names)
        if not fit or places.shape != (len(names), 3) or places.min() < 0 or places[:, 0].max() >= len(names):
            raise ValueError("its columns don't fit together")
        paths = FilePaths("", np.char.add(np.char.add(folders, b"/")[labels], names))
        tensors = {"places": torch.from_numpy(places), "known": torch.from_numpy(known)}
        files = PackedFiles(paths, torch.from_numpy(labels), 1, **tensors)
        of_part = [torch.from_numpy(np.flatnonzero(columns["parts"] == code)) for code in range(len(PARTS))]
    except (BadZipFile, KeyError, ValueError, TypeError, IndexError, EOFError, OSError) as error:
        raise UserError(f"{source} is no table of a pack ({one_line(error)}): pack the images anew") from error
    parts = {part: files[index] for part, index in zip(PARTS, of_part, strict=True) if len(index)}
    return tuple(map(os.fsdecode, folders.tolist())), parts
