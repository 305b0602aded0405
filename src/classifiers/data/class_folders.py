"""Which image files a folder holds, of which class and for which split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.data.image_files import find_images
from classifiers.experiment.errors import UserError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Files:
    """Paths `(N,)` of image files, and the classes `(N,)` of what they show."""

    paths: NDArray[np.str_]
    labels: Tensor

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: slice | Tensor) -> "Files":
        return Files(self.paths[index], self.labels[index])

    def __add__(self, other: "Files") -> "Files":
        return Files(np.concatenate([self.paths, other.paths]), torch.cat([self.labels, other.labels]))


def find_files(root: Path) -> tuple[tuple[str, ...], dict[str, Files]]:
    """The names of the classes, sorted, and the files of each split for which `root` has a folder, by name.

    A split's folder is `train`, `val` or `test` and has a sub-folder for each class; without any of them, `root` itself
    has, and all is `train`.

    Raises:
        UserError: there is no such folder, fewer than two classes, one without images, or other ones in some split.
    """
    if not root.is_dir():
        raise UserError(f"there is no folder {root}: --data.root names one that has a sub-folder for each class")
    if not any(_folders(root / name) for name in SPLITS):
        if alike := _alike(_folders(root)):
            raise UserError(f"{alike} in {root} have the same sub-folders: name splits train, val and test")
        names, files = _find_classes(root)
        return names, {"train": files}
    if not _folders(root / "train"):
        raise UserError(f"there is no folder {root / 'train'} with a sub-folder for each class beside those in {root}")
    if strange := [folder for folder in _folders(root) if folder.name not in SPLITS or not _folders(folder)]:
        raise UserError(f"{strange[0]} is no train, val or test with a sub-folder for each class, as others in {root}")
    names, train = _find_classes(root / "train")
    splits = {"train": train}
    for split in ("val", "test"):
        if (root / split).exists():
            others, splits[split] = _find_classes(root / split)
            if differing := sorted({*names} ^ {*others}):
                only = (f"only {'train' if name in names else split} has {name}" for name in differing)
                raise UserError(f"{root / 'train'} and {root / split} have different classes: {', '.join(only)}")
    return names, splits


def _alike(folders: list[Path]) -> str:
    """The names of two or more folders if all have the same sub-folders, and some; else nothing."""
    names = (tuple(inner.name for inner in _folders(folder)) for folder in folders)  # lazily: a class may be large
    first = next(names, ())
    same = len(folders) > 1 and first and all(other == first for other in names)
    return ", ".join(folder.name for folder in folders) if same else ""


def _find_classes(folder: Path) -> tuple[tuple[str, ...], Files]:
    classes = _folders(folder)
    if len(classes) < 2:
        found = f"{classes[0].name} alone" if classes else "none"
        raise UserError(f"{folder} needs a sub-folder for each of two or more classes, and has {found}")
    paths = [np.array([str(file) for file in find_images(path)]) for path in classes]
    labels = [torch.full((len(found),), label) for label, found in enumerate(paths)]
    return tuple(path.name for path in classes), Files(np.concatenate(paths), torch.cat(labels))


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"can't look into {folder} ({error.strerror})") from error
