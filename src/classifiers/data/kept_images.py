"""How the images of files are kept: in memory, decoded in a file, or not at all."""

from collections.abc import Iterable, Sequence
from functools import reduce
from math import prod
from operator import add
from pathlib import Path

import torch

from classifiers.data.cache_folder import GIB, CacheFolder, NoRoomError
from classifiers.data.decoded_images import DecodedImages
from classifiers.data.decoding import ImageFiles, read_images, require_all, unreadable
from classifiers.data.file_paths import FilePaths
from classifiers.data.image_cache import decoded_images
from classifiers.data.image_dataset import Images
from classifiers.data.image_search import is_hidden
from classifiers.data.resizing import Resize
from classifiers.experiment.errors import UserError
from classifiers.experiment.paths import at_home
from classifiers.experiment.terminal import warn_once


class KeptImages:
    """Images of one shape, of files.

    Args:
        paths: of all files.
        source: the folder or the table that names them.
        shape: `(C, H, W)` that every image is given.
        resize: by which way.
        memory_limit: GiB up to which they are kept in memory.
        cache: the folder that those beyond are decoded into; True means `.decoded` below that of the files, whatever
            they take; None means that too, where it can be written to; False means that they are streamed.
        cache_limit: GiB that this folder may hold.

    Raises:
        UserError: a `cache` that is asked for can't be kept, or is among the images; files change meanwhile.
    """

    def __init__(
        self,
        paths: FilePaths,
        source: Path,
        shape: Sequence[int],
        resize: Resize,
        memory_limit: float,
        cache: bool | str | None,
        cache_limit: float | None,
    ) -> None:
        self.shape, self.resize = shape, resize
        self.in_memory = not cache and len(paths) * prod(shape) <= memory_limit * GIB
        self.decoded: DecodedImages | None = None
        if self.in_memory or cache is False:
            return
        folder = at_home(cache) if isinstance(cache, str) else Path(paths.root) / ".decoded"
        if _is_found(folder.absolute(), source.absolute()):
            raise UserError(f"--data.cache {folder} is among the images: name another, or one that begins with a dot")
        try:
            self.decoded = decoded_images(paths, source, shape, resize, CacheFolder(folder, cache_limit))
        except NoRoomError as error:
            if cache:
                raise
            warn_once(f"the files are streamed: {error}")

    @property
    def streamed(self) -> bool:
        return not (self.in_memory or self.decoded)

    def parts(self, *parts: FilePaths) -> Sequence[Images]:
        """The images `(N, C, H, W)` of the files of each part.

        Raises:
            UserError: it names those that can't be read.
        """
        paths = reduce(add, parts)
        if self.in_memory:
            return torch.split(read_images(paths, self.shape, self.resize), [len(part) for part in parts])
        require_all(self.unreadable(paths), len(paths))
        if self.decoded:
            return [self.decoded.of(part) for part in parts]
        return [ImageFiles(part, self.shape, self.resize) for part in parts]

    def unreadable(self, paths: FilePaths) -> dict[int, str]:
        """The indices of those of the `paths` that can't be read, and why."""
        return self.decoded.unreadable(paths) if self.decoded else unreadable(paths, self.shape)

    def samples(self, paths: FilePaths) -> Iterable[str] | None:
        """What `sampled` said of each of the `paths`, if they were decoded into a file."""
        return self.decoded.samples(paths) if self.decoded else None


def _is_found(folder: Path, source: Path) -> bool:
    """Whether the next look for images into `source` would come upon that folder."""
    return folder.is_relative_to(source) and not any(map(is_hidden, folder.relative_to(source).parts))
