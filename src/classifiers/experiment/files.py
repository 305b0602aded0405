"""Writing files so that a reader never meets half of one, whatever ends the writer."""

import codecs
import contextlib
import csv
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from classifiers.experiment.errors import UserError

GO_ON = "make room, then go on with --resume"


@contextlib.contextmanager
def writing(path: Path, cure: str = GO_ON) -> Iterator[None]:
    """While this lasts, `path` is written; where that fails, UserError says why and the `cure`."""
    try:
        yield
    except BrokenPipeError:  # of standard output
        raise
    except OSError as error:
        raise UserError(f"can't write {path} ({error.strerror}): {cure}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, which it replaces when it is whole and on the disk; if writing fails, it is removed."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def output_file(path: Path, cure: str) -> Iterator[BinaryIO]:
    """As `replacing`, in a folder that is made if need be; where that fails, UserError says why and the `cure`."""
    with writing(path, f"give {cure}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            yield file


def require_writable(folder: Path, cure: str) -> None:
    """Make `folder` if need be; where it can't be written into, UserError says why and the `cure`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"can't write to {folder} ({error.strerror}): name another folder with {cure}") from error


def write_whole(path: Path, text: str) -> None:
    """Write `text` beside `path`, then rename it over `path`."""
    with replacing(path) as file:
        file.write(text.encode())


def csv_writer(file: BinaryIO) -> Any:
    """A writer of the `csv` module's for `file`, that writes file names in the bytes that they are."""
    return csv.writer(codecs.getwriter("utf-8")(file, "surrogateescape"))


def append(path: Path, text: str) -> None:
    """Add `text` to the end of a file, as a whole or not at all."""
    size = path.stat().st_size
    try:
        with path.open("ab") as file:
            file.write(text.encode())
    except OSError:
        os.truncate(path, size)
        raise
