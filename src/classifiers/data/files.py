"""Image files, and which class each is of."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.data.identity import of_names
from classifiers.experiment.errors import UserError

SAMPLED = 2**14  # bytes of a file


@dataclass(frozen=True)
class Files:
    """Paths `(N,)` of image files, their names `(N,)`, which stay when a folder of them moves, and classes `(N,)`."""

    paths: NDArray[np.str_]
    names: NDArray[np.str_]
    labels: Tensor

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: slice | Tensor) -> Self:
        places = index.numpy() if isinstance(index, Tensor) else index
        return replace(self, **{name: column[places] for name, column in self._columns()})

    def __add__(self, other: Self) -> Self:
        pairs = {name: (column, getattr(other, name)) for name, column in self._columns()}
        joined: dict[str, Any] = {
            name: (torch.cat if isinstance(pair[0], Tensor) else np.concatenate)(pair) for name, pair in pairs.items()
        }
        return replace(self, **joined)

    def _columns(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def identities(self, class_names: Sequence[str]) -> Tensor:
        """What each file `(N,)` is known by: its class, its name, how long it is, and what stands in its middle."""
        classes = (class_names[label] for label in self.labels.tolist())
        files = zip(classes, self.names, self.paths, strict=True)
        try:
            return of_names(f"{kind}/{name} {sampled(path)}" for kind, name, path in files)
        except OSError as error:
            raise UserError(f"{error.filename} went away ({error.strerror}) while the files were read") from error


def sampled(path: str) -> str:
    """How long a file is, and a digest of 16 KiB in its middle."""
    with open(path, "rb") as file:  # noqa: PTH123  # of many: it is the fastest
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, (size - SAMPLED) // 2))
        return f"{size} {blake2b(file.read(SAMPLED), digest_size=8).hexdigest()}"


Found = tuple[tuple[str, ...], dict[str, Files], Counter[str]]  # classes, sorted; files of each part; what is left out
