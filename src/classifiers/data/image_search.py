"""Which files of a folder are images, and how many are left out as none."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from classifiers.data.image_files import FORMATS
from classifiers.experiment.errors import UserError

HIDDEN = ("__MACOSX", "$RECYCLE.BIN", "System Volume Information")  # and what begins with a dot or an @


def is_hidden(name: str) -> bool:
    """Whether a file or folder of that name is what a system or an editor keeps beside the images."""
    return name.startswith((".", "@")) or name in HIDDEN


def is_image(path: Path) -> bool:
    """Whether a file that isn't hidden has the ending of an image."""
    return path.suffix.lower() in suffixes() and not is_hidden(path.name) and path.is_file()


def suffixes() -> set[str]:
    """The endings of all images that are read."""
    return {suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS}


def find_images(path: Path, left_out: Counter[str] | None = None) -> list[Path]:
    """All image files in the folder `path` and below, linked folders too, by name; `path` itself if it is no folder.

    How many files are left out is counted in `left_out`, by their endings; of hidden ones, images alone.

    Raises:
        UserError: the folder holds none, or it, or one below it, can't be read.
    """
    return [path / name for name in image_names(path, left_out)] if path.is_dir() else [path]


def image_names(folder: Path, left_out: Counter[str] | None = None) -> list[str]:
    """As `find_images`, their paths from the `folder` on."""
    endings = suffixes()
    images, others = [], Counter[str]()
    for name, hidden in _files(str(folder), "", is_hidden(folder.name), set()):
        suffix = _suffix(name)
        if suffix in endings and not hidden:
            images.append(name)
        elif suffix in endings or not hidden:
            others["hidden" if hidden else suffix or "without an ending"] += 1
    if left_out is not None:
        left_out.update(others)
    if not images:
        found = f", but files that are none ({told(others)})" if others else ""
        raise UserError(f"there is no image in {folder}{found}: put some there, or leave it out")
    return sorted(images, key=lambda name: name.split("/"))


def told(left_out: Counter[str]) -> str:
    """How many files of which endings."""
    return ", ".join(f"{count:,} {ending}" for ending, count in left_out.most_common())


def _files(folder: str, below: str, hidden: bool, seen: set[str]) -> Iterator[tuple[str, bool]]:
    """All files in the folder and below, each once, behind `below`, and whether they or their folders are hidden."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        if hidden:
            return
        raise UserError(f"can't look into {folder} ({error.strerror})") from error
    for entry in entries:
        concealed = hidden or is_hidden(entry.name)
        if entry.is_dir():
            yield from _files(entry.path, f"{below}{entry.name}/", concealed, seen)
        else:
            yield below + entry.name, concealed


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if name.rfind("/") + 1 < dot < len(name) - 1 else ""
