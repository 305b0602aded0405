"""The folder that decoded images are kept in: who may write into it, and how much it may hold."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.files import require_writable
from classifiers.experiment.terminal import say

GIB = 2**30
INDEX, IMAGES = ".decoded.index", ".decoded.npy"
OTHERWISE = "name another folder with --data.cache, or stream the files by --data.cache false"


class NoRoomError(UserError):
    """Decoded images can't be kept where they should be."""


@dataclass(frozen=True)
class CacheFolder:
    """Holds files in pairs, the images of a data set and their index, which is written last.

    Args:
        path: of the folder.
        limit: GiB that it may hold; None means as many as its disk.
    """

    path: Path
    limit: float | None

    def indexes(self) -> list[Path]:
        """Of all that it holds, the one least recently used first."""
        return sorted(self.path.glob(f"*{INDEX}"), key=lambda index: (index.stat().st_mtime_ns, index))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """While this lasts, no other process writes here.

        The lock is one of the kernel's, which a process that is killed lets go, and which NFS keeps for all machines.

        Raises:
            NoRoomError: the folder can't be written into.
        """
        lock = FileLock(self.path / ".lock")
        try:
            require_writable(self.path, "--data.cache")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                say(f"another process decodes images into {self.path}: waiting for it")
                lock.acquire()
        except UserError as error:
            raise NoRoomError(str(error)) from error
        except (OSError, NotImplementedError) as error:
            raise NoRoomError(f"can't lock {self.path} ({one_line(error)}): {OTHERWISE}") from error
        try:
            yield
        finally:
            lock.release()

    def require_room(self, nbytes: int) -> int:
        """How many bytes are left now, if there is room for `nbytes` once all that it holds is removed.

        Raises:
            NoRoomError: there isn't.
        """
        held = sum(map(_size, self._files()))
        free = shutil.disk_usage(next(folder for folder in (self.path, *self.path.parents) if folder.is_dir())).free
        what = f"the decoded images take {nbytes / GIB:,.4g} GiB"
        if self.limit is not None and nbytes > self.limit * GIB:
            raise NoRoomError(f"{what}, and --data.cache_limit allows {self.limit:g}: {OTHERWISE}")
        if nbytes > free + held:
            raise NoRoomError(f"{what}, and the disk of {self.path} has {free / GIB:,.4g} free: {OTHERWISE}")
        return min(free, int(self.limit * GIB) - held) if self.limit is not None else free

    def make_room(self, nbytes: int, first: list[Path]) -> None:
        """Remove what a killed writer left, and as many caches as `nbytes` need: those of the indexes `first`, then
        those least recently used; who has mapped one can go on reading it.
        """
        whole = {path for index in self.indexes() for path in (index, images_of(index))}
        for path in self._files() - whole:
            path.unlink()
        free = self.require_room(nbytes)
        for index in [*first, *(index for index in self.indexes() if index not in first)]:
            if nbytes <= free:
                return
            free += _size(index) + _size(images_of(index))
            remove(index)

    def _files(self) -> set[Path]:
        """All that was ever written for one."""
        return {path for ending in (INDEX, IMAGES) for path in self.path.glob(f"*{ending}*")}


def images_of(index: Path) -> Path:
    """The file of images that belongs to an index."""
    return index.with_name(index.name.removesuffix(INDEX) + IMAGES)


def remove(index: Path) -> None:
    """Remove images and their `index`, which goes first."""
    index.unlink(missing_ok=True)
    with contextlib.suppress(PermissionError):  # of Windows, while they are mapped
        images_of(index).unlink(missing_ok=True)


def touch(index: Path) -> None:
    """Note that it is used now, where that can be noted."""
    with contextlib.suppress(OSError):
        os.utime(index)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # another process has just removed it
        return 0
