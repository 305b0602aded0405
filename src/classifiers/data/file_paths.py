"""The paths of many files, in little memory."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray


class FilePaths(Sequence[str]):
    """Paths `(N,)` of files below a folder: what stands behind it is kept as bytes, and joined when it is asked for.

    Args:
        root: the folder.
        below: paths `(N,)` from there, or absolute ones.
    """

    def __init__(self, root: str, below: NDArray[np.bytes_]) -> None:
        self.root, self.below = root, below

    @classmethod
    def of(cls, root: str, below: Iterable[str]) -> Self:
        return cls(root, np.array([os.fsencode(path) for path in below], np.bytes_))

    def __len__(self) -> int:
        return len(self.below)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice | NDArray[Any]) -> "FilePaths": ...
    def __getitem__(self, index: int | slice | NDArray[Any]) -> "str | FilePaths":
        if isinstance(index, slice | np.ndarray):
            return FilePaths(self.root, self.below[index])
        return self._joined(self.below[index])

    def __iter__(self) -> Iterator[str]:
        return map(self._joined, self.below.tolist())

    def __add__(self, other: "FilePaths") -> "FilePaths":
        return FilePaths(self.root, np.concatenate([self.below, other.below]))

    def _joined(self, below: bytes) -> str:
        return os.path.join(self.root, os.fsdecode(below))  # noqa: PTH118  # of many: it is the fastest
