"""Images that were decoded before, as they are kept in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifiers.data.cache_folder import images_of
from classifiers.data.decoded_index import DecodedIndex
from classifiers.data.file_paths import FilePaths
from classifiers.data.mapped_images import MappedImages


@dataclass(frozen=True)
class DecodedImages:
    """A file of decoded images, and what its index says of them."""

    index: DecodedIndex
    images: MappedImages

    @classmethod
    def open(cls, path: Path, shape: Sequence[int]) -> "DecodedImages":
        """Those of the index at `path`.

        Raises:
            OSError: one of the two files isn't there, or can't be read.
            ValueError: one is damaged, or the index of another version.
        """
        index = DecodedIndex.read(path)
        rows = np.arange(len(index.states))
        return cls(index, MappedImages(images_of(path), (len(rows), *shape), rows))

    def of(self, paths: FilePaths) -> MappedImages:
        """The images `(N, C, H, W)` of some of the files."""
        return MappedImages(self.images.path, self.images.whole, self.index.rows(paths.below))

    def samples(self, paths: FilePaths) -> list[str]:
        """What `sampled` said of some of the files."""
        return [sample.decode() for sample in self.index.samples[self.index.rows(paths.below)].tolist()]

    def unreadable(self, paths: FilePaths) -> dict[int, str]:
        """Which of the `paths` can't be read, and why."""
        rows = self.index.rows(paths.below)
        places = np.flatnonzero(np.isin(rows, [*self.index.failures]))
        return {int(place): self.index.failures[int(rows[place])] for place in places}
