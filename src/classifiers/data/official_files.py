"""Bring a data set's official files under its root: whole, checked, and safe against kills and concurrent processes."""

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from classifiers.experiment.errors import UserError, one_line


@dataclass(frozen=True)
class Source:
    """One place to get files from.

    `fetch(names, into)` writes those of the (decompressed) files `names` that it has into the folder `into`, and
    raises `OSError` or `ValueError` that says why where it can't.
    """

    name: str
    fetch: Callable[[Sequence[str], Path], None]


def ensure_files(folder: Path, md5s: Mapping[str, str], sources: Sequence[Source], by_hand: str) -> None:
    """Make `folder` hold every file of `md5s` (name → MD5 of its content), from the first sources that have them.

    Files that are there and whole are left alone; missing or damaged ones are fetched into a scratch folder, checked
    and renamed into place one by one, under a lock in the parent folder. `by_hand` says what to do where all fail.

    Raises:
        UserError: no source had the files, or `folder` can't be written.
    """
    with _made(folder):
        if not _damaged(folder, md5s):
            return
        with FileLock(folder.parent / ".lock"):
            failures = []
            missing = _damaged(folder, md5s)  # again: another process may have fetched them meanwhile
            for source in sources:
                if not missing:
                    break
                with _scratch_folder(folder / ".partial") as scratch:
                    try:
                        source.fetch(missing, scratch)
                        failures.append(f"{source.name} (not the official files)")
                    except (OSError, ValueError) as error:
                        failures.append(f"{source.name} ({one_line(error)})")
                    wrong = _damaged(scratch, {name: md5s[name] for name in missing})
                    for name in set(missing).difference(wrong):
                        (scratch / name).replace(folder / name)
                    missing = wrong
        if missing:
            raise UserError(f"{folder} lacks {', '.join(missing)}. Tried: {'; '.join(failures)}. {by_hand}")


def _damaged(folder: Path, md5s: Mapping[str, str]) -> list[str]:
    return [name for name, md5 in md5s.items() if not _is_whole(folder / name, md5)]


def _is_whole(path: Path, md5: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5


@contextlib.contextmanager
def _scratch_folder(path: Path) -> Iterator[Path]:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make `folder`; on the way out remove what of it and its parents was made here and stayed empty."""
    made: list[Path] = []
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UserError(f"can't write to {folder} ({error.strerror}): name another with --data.root") from error
    finally:
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()
