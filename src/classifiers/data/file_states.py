"""In what state files are, by which it is seen whether they have changed since."""

import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.data.file_paths import FilePaths

ABSENT = (-1, 0)


@dataclass(frozen=True)
class FileStates:
    """Of files: their names `(N,)`, sorted, sizes `(N,)` in bytes, and times `(N,)` of their last change, in ns."""

    names: NDArray[np.bytes_]
    sizes: NDArray[np.int64]
    times: NDArray[np.int64]

    @classmethod
    def of(cls, paths: FilePaths) -> "FileStates":
        """Those of `paths` that are sorted; a file that isn't there has the size -1."""
        sizes, times = np.zeros((2, len(paths)), np.int64)
        for index, path in enumerate(paths):
            sizes[index], times[index] = _state(path)
        return cls(paths.below, sizes, times)

    def __len__(self) -> int:
        return len(self.names)

    def digest(self, version: str) -> str:
        """16 letters that tell these files in this state, read by this version, from all others."""
        arrays = (self.names.tobytes(), self.sizes.tobytes(), self.times.tobytes())
        return blake2b(b"".join([version.encode(), *arrays]), digest_size=8).hexdigest()

    def unchanged(self, before: "FileStates") -> tuple[NDArray[Any], NDArray[Any]]:
        """The places here and in `before` of the files that are in the same state in both."""
        _, here, there = np.intersect1d(self.names, before.names, assume_unique=True, return_indices=True)
        same = (self.sizes[here] == before.sizes[there]) & (self.times[here] == before.times[there])
        return here[same], there[same]

    def changes(self, before: "FileStates") -> str:
        """How many files are new, gone or changed since `before`."""
        common = len(np.intersect1d(self.names, before.names, assume_unique=True))
        same = len(self.unchanged(before)[0])
        counts = {"new": len(self) - common, "gone": len(before) - common, "changed": common - same}
        return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def _state(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116  # of many: it is the fastest
    except OSError:
        return ABSENT
    return found.st_size, found.st_mtime_ns
