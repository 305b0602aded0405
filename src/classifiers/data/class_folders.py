"""Which image files a folder holds, of which class and for which part."""

import contextlib
import os
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from classifiers.data.file_paths import FilePaths
from classifiers.data.files import Files, Found
from classifiers.data.image_search import find_images, image_names, is_hidden, is_image
from classifiers.experiment.errors import UserError

PARTS = {  # and the names of their folders, in any case
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validate", "validation", "dev"),
    "test": ("test", "testing", "tst"),
}


def find_files(root: Path) -> Found:
    """The names of the classes, sorted, the files of each part for which `root` has a folder, by name, and how many
    other files are left out, by their endings.

    A part's folder is named as in `PARTS` and has a sub-folder for each class; without any of them, `root` itself has,
    and all is `train`.

    Raises:
        UserError: there is no such folder, fewer than two classes, one without images, or other ones in some part.
    """
    if not os.path.isdir(root):  # noqa: PTH112  # Path's own raises where a parent can't be entered
        raise UserError(f"there is no folder {root}: --data.root names one that has a sub-folder for each class")
    left_out = Counter[str]()
    folders = _folders(root)
    parts = {part: [folder for folder in folders if folder.name.lower() in PARTS[part]] for part in PARTS}
    if not any(parts.values()):
        names, files = _find_classes(root, root, folders, left_out)
        return names, {"train": files}, left_out
    for part, named in parts.items():
        if len(named) > 1:
            both = " and ".join(folder.name for folder in named)
            raise UserError(f"{both} in {root} are both of the part {part}: give it one folder")
    count_beside(root, left_out)
    if strange := [folder for folder in folders if [folder] not in parts.values()]:
        other = "is no part, as others beside it are: name parts train, val and test, and no class so"
        raise UserError(f"{strange[0]} {other}")
    if not parts["train"]:
        raise UserError(f"there is no folder {root / 'train'} with a sub-folder for each class beside those in {root}")
    found = {
        part: _find_classes(root, folder, _folders(folder), left_out)
        for part, named in parts.items()
        for folder in named
    }
    names, _ = found["train"]
    for part, (others, _) in found.items():
        if differing := sorted({*names} ^ {*others}):
            only = (f"only {'train' if name in names else part} has {name}" for name in differing)
            folders = [parts["train"][0], parts[part][0]]
            raise UserError(f"{folders[0]} and {folders[1]} have different classes: {', '.join(only)}")
    return names, {part: files for part, (_, files) in found.items()}, left_out


def _find_classes(
    root: Path, folder: Path, classes: list[Path], left_out: Counter[str]
) -> tuple[tuple[str, ...], Files]:
    if len(classes) < 2:
        has = f"{classes[0].name} alone" if classes else "none"
        raise UserError(f"{folder} needs a sub-folder for each of two or more classes, and has {has}")
    for path in classes:
        if _folders(path) and not any(is_image(entry) for entry in path.iterdir()):
            cure = f"name parts train, val and test, give --data.root {path}, or put a class's images right into it"
            raise UserError(f"{path} holds folders and no image, and so may be no class: {cure}")
    count_beside(folder, left_out)
    found = []
    for path in classes:
        below = path.relative_to(root).as_posix()
        found.append(FilePaths.of(str(root), [f"{below}/{name}" for name in image_names(path, left_out)]))
    labels = torch.repeat_interleave(torch.tensor([len(paths) for paths in found]))
    paths = FilePaths(str(root), np.concatenate([paths.below for paths in found]))
    folders = len(classes[0].relative_to(root).parts)
    return tuple(path.name for path in classes), Files(paths, labels, folders)


def count_beside(folder: Path, left_out: Counter[str]) -> None:
    """Count files beside the sub-folders, and images in hidden ones."""
    for entry in folder.iterdir():
        if entry.is_file() and not is_hidden(entry.name):
            left_out["beside the folders"] += 1
        elif entry.is_dir() and is_hidden(entry.name):
            with contextlib.suppress(UserError):
                find_images(entry, left_out)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not is_hidden(entry.name)]
        if lost := sorted(entry.name for entry in entries if entry.is_symlink() and not os.path.exists(entry)):  # noqa: PTH110
            raise UserError(f"{folder / lost[0]} is a link to what isn't there: mend it, or take it away")
        return sorted(folder / entry.name for entry in entries if entry.is_dir())
    except OSError as error:
        raise UserError(f"can't look into {folder} ({error.strerror})") from error
