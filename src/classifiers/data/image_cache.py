"""Images that are decoded once, and found at each later start."""

import contextlib
import os
from collections.abc import Sequence
from hashlib import blake2b
from math import prod
from pathlib import Path

import numpy as np

from classifiers.data.cache_folder import INDEX, CacheFolder, remove, touch
from classifiers.data.decoded_images import DecodedImages
from classifiers.data.decoded_index import VERSION
from classifiers.data.file_paths import FilePaths
from classifiers.data.file_states import FileStates
from classifiers.data.image_writing import write_images
from classifiers.data.resizing import Resize
from classifiers.experiment.terminal import say


def decoded_images(
    paths: FilePaths, source: Path, shape: Sequence[int], resize: Resize, folder: CacheFolder
) -> DecodedImages:
    """Those of all files at `paths`, decoded now unless they are in the `folder` already, as they stand now.

    Args:
        paths: of the files.
        source: what they belong to, a folder or a table; of each the folder keeps one state.
        shape: `(C, H, W)` that every image is given.
        resize: by which way.
        folder: where they are kept.

    Raises:
        NoRoomError: they can't be kept there.
        UserError: files change while they are decoded.
    """
    paths = paths[np.argsort(paths.below, kind="stable")]
    states = FileStates.of(paths)
    place = blake2b(os.path.relpath(source, folder.path).encode(errors="surrogateescape"), digest_size=4).hexdigest()
    stem = f"{place}-{'x'.join(map(str, shape))}-{resize}-"
    index = folder.path / f"{stem}{states.digest(VERSION)}{INDEX}"
    nbytes = len(paths) * prod(shape)
    with contextlib.suppress(OSError, ValueError):
        return _opened(index, shape)
    folder.require_room(nbytes)
    with folder.locked():
        with contextlib.suppress(OSError, ValueError):
            return _opened(index, shape)
        earlier = [path for path in folder.indexes() if path.name.startswith(stem)]
        before = _before(earlier, states, shape)
        folder.make_room(nbytes, earlier)
        if before and not before.images.path.exists():
            before = None
        write_images(index, paths, states, shape, resize, before)
        for path in earlier:
            if path != index:
                remove(path)
        return _opened(index, shape)


def _opened(index: Path, shape: Sequence[int]) -> DecodedImages:
    found = DecodedImages.open(index, shape)
    touch(index)
    return found


def _before(earlier: Sequence[Path], states: FileStates, shape: Sequence[int]) -> DecodedImages | None:
    """What there was before of the same files, if it is whole; a line says what became of it."""
    for index in earlier:
        try:
            found = DecodedImages.open(index, shape)
        except (OSError, ValueError) as error:
            say(f"can't use {index} ({error}): decoding {len(states):,} images again")
        else:
            say(f"files have changed since they were decoded: {states.changes(found.index.states)}")
            return found
    return None
