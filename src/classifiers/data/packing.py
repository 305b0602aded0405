"""Writes a folder of image files as a pack, in litdata's chunks."""

import contextlib
import itertools
import operator
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.data.chunk_stores import litdata
from classifiers.data.class_folders import PARTS, find_files
from classifiers.data.decoding import require_all, tracked, write_list
from classifiers.data.files import Files
from classifiers.data.image_files import quietly, read_image
from classifiers.data.packs import TABLE, PackedFiles, chunk_name, chunk_sizes, table
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.files import replacing, writing
from classifiers.experiment.terminal import printable

CHUNK = 2**24  # bytes, or a little more; an object store gives so much at once
TOGETHER = 256  # files in memory
LENGTH = 4  # bytes of a number in a chunk
SHAPE = (3, 64, 64)  # that each is decoded to, to see whether it can be


class Packed(NamedTuple):
    """How many images of how many classes are in how many chunks, and how many files are left out, by why."""

    images: int
    classes: int
    chunks: int
    left_out: Counter[str]


def write_pack(folder: Path, out: Path, skip_unreadable: bool = False) -> Packed:
    """Pack the images that `ImageFolderDataModule` finds in `folder` into the new folder `out`.

    The table is written last: without it, `out` is no pack. All that ends this, but a kill, takes `out` away.

    Raises:
        UserError: what `find_files` raises; `out` is there already, or can't be written; unreadable images, unless they
            are to be left out, or a class of which there is no other.
    """
    writer = litdata("streaming.writer").BinaryWriter
    class_names, by_part, left_out = find_files(folder)
    files = reduce(operator.add, by_part.values())
    with _new(out), warnings.catch_warnings(action="ignore"):  # litdata's, of an image that is larger than a chunk
        chunks = writer(str(out), chunk_bytes=CHUNK)
        known, failures = _write(files, class_names, chunks, skip_unreadable)
        if not skip_unreadable:
            require_all(failures, len(files), "--skip_unreadable")
        if failures:
            left_out[f"unreadable, as in {write_list(failures)}"] += len(failures)
        readable = _without(failures, by_part, class_names)
        chunks.done()
        chunks.merge()
        some, places = reduce(operator.add, readable.values()), torch.from_numpy(_places(out))
        packed = PackedFiles(some.paths, some.labels, some.folders, places=places, known=known)
        parts = np.repeat([[*PARTS].index(part) for part in readable], [*map(len, readable.values())])
        with replacing(out / TABLE) as file:
            np.savez_compressed(file, **table(class_names, parts, packed))  # type: ignore[arg-type]
    return Packed(len(packed), len(class_names), len(chunk_sizes(places.numpy())), left_out)


def _without(failures: Mapping[int, str], by_part: Mapping[str, Files], class_names: Sequence[str]) -> dict[str, Files]:
    """The files of each part but those that failed, by their indices among all; UserError as of `Files.without`."""
    readable, start = {}, 0
    for part, files in by_part.items():
        failed = {index - start: why for index, why in failures.items() if start <= index < start + len(files)}
        readable[part] = files.without(failed, class_names)
        start += len(files)
    return readable


def _write(
    files: Files, class_names: Sequence[str], chunks: Any, skip_unreadable: bool
) -> tuple[Tensor, dict[int, str]]:
    """What the files `(N,)` in the `chunks` are known by, and why those at which indices can't be read.

    Once there are some of these that aren't to be left out, the others are looked at, but not written any more.
    """
    known, failures, numbers = [], dict[int, str](), itertools.count()
    starts = range(0, len(files), TOGETHER)
    with ThreadPoolExecutor() as pool, quietly():
        for start in tracked(starts, len(starts), "Packing", len(files)):
            some = files[start : start + TOGETHER]
            contents = [*pool.map(_content, some.paths)]
            failures |= {start + index: found for index, found in enumerate(contents) if isinstance(found, str)}
            if failures and not skip_unreadable:
                continue
            for content in contents:
                if isinstance(content, bytes):
                    chunks.add_item(next(numbers), content)
            read = torch.tensor([isinstance(content, bytes) for content in contents]).nonzero().flatten()
            known.append(some[read].identities(class_names))
    return torch.cat(known) if known else torch.empty(0), failures


def _content(path: str) -> bytes | str:
    """What stands in an image file, or why it can't be read."""
    try:
        content = Path(path).read_bytes()
        read_image(path, SHAPE, content=content)
        return content
    except OSError as error:
        return f"{printable(path)} can't be read: {one_line(error)}"
    except UserError as error:
        return str(error)


def _places(out: Path) -> NDArray[np.int64]:
    """Where each image `(N, 3)` stands, after what litdata writes first in a chunk: how many images it has, and where
    each begins and the last one ends. An image is preceded by its length.
    """
    found = []
    for number in range(len([*out.glob("*.bin")])):
        path = out / chunk_name(number)
        (count,) = np.fromfile(path, np.uint32, 1)
        bounds = np.fromfile(path, np.uint32, count + 1, offset=LENGTH).astype(np.int64)
        starts = bounds[:-1] + LENGTH
        found.append(np.stack([np.full_like(starts, number), starts, bounds[1:] - starts], 1))
    return np.concatenate(found)


@contextlib.contextmanager
def _new(out: Path) -> Iterator[None]:
    """A new folder, which doesn't stay if writing fails."""
    with writing(out, "make room, or name another folder"):
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise UserError(f"{out} is there already: name a new folder for the pack, or take that away")
        out.mkdir(parents=True, exist_ok=True)
        try:
            yield
        except BaseException:
            shutil.rmtree(out, ignore_errors=True)
            raise
