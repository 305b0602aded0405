"""Image files, and which class each is of."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import Any, Self

import torch
from torch import Tensor

from classifiers.data.file_paths import FilePaths
from classifiers.data.identity import of_names
from classifiers.experiment.errors import UserError

SAMPLED = 2**14  # bytes of a file


@dataclass(frozen=True)
class Files:
    """Paths `(N,)` of image files and their classes `(N,)`; so many folders of a path tell the part and the class."""

    paths: FilePaths
    labels: Tensor
    folders: int = 0

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: slice | Tensor) -> Self:
        places = index.numpy() if isinstance(index, Tensor) else index
        tensors: dict[str, Any] = {name: column[places] for name, column in self._tensors().items()}
        return replace(self, paths=self.paths[places], **tensors)

    def __add__(self, other: Self) -> Self:
        tensors: dict[str, Any] = {
            name: torch.cat([column, getattr(other, name)]) for name, column in self._tensors().items()
        }
        return replace(self, paths=self.paths + other.paths, **tensors)

    def _tensors(self) -> dict[str, Tensor]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: column for name, column in found.items() if isinstance(column, Tensor)}

    def without(self, failed: Mapping[int, str], class_names: Sequence[str]) -> Self:
        """All but those that `failed`, for the reasons given by their index.

        Raises:
            UserError: a class has no other ones.
        """
        kept = self[torch.tensor([index for index in range(len(self)) if index not in failed], dtype=torch.long)]
        for label in {*self.labels.tolist()}.difference(kept.labels.tolist()):
            raise UserError(f"no image of {class_names[label]} can be read: {next(iter(failed.values()))}")
        return kept

    @property
    def names(self) -> list[str]:
        """Of the files `(N,)`: what stays when the folder of a class or a part moves."""
        return [os.fsdecode(path).split("/", self.folders)[-1] for path in self.paths.below.tolist()]

    def identities(self, class_names: Sequence[str], samples: Iterable[str] | None = None) -> Tensor:
        """What each file `(N,)` is known by: its class, its name, how long it is, and what stands in its middle, as
        `samples` say it if it has been read already.
        """
        classes = (class_names[label] for label in self.labels.tolist())
        files = zip(classes, self.names, map(sampled, self.paths) if samples is None else samples, strict=True)
        try:
            return of_names(f"{kind}/{name} {sample}" for kind, name, sample in files)
        except OSError as error:
            raise UserError(f"{error.filename} went away ({error.strerror}) while the files were read") from error


def sampled(path: str) -> str:
    """How long a file is, and a digest of 16 KiB in its middle."""
    with open(path, "rb") as file:  # noqa: PTH123  # of many: it is the fastest
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, (size - SAMPLED) // 2))
        return f"{size} {blake2b(file.read(SAMPLED), digest_size=8).hexdigest()}"


Found = tuple[tuple[str, ...], dict[str, Files], Counter[str]]  # classes, sorted; files of each part; what is left out
