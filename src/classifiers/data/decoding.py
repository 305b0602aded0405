"""Many image files as tensors: all at once into memory, or a batch at a time."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import rich
import torch
from lightning.pytorch.utilities import rank_zero_only
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.utils.data import default_collate, get_worker_info

from classifiers.data.file_paths import FilePaths
from classifiers.data.image_files import pixel_count, quietly, read_image
from classifiers.data.resizing import Resize
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import write_whole

MANY = 1000  # from which on there is a progress bar
NAMED = 5  # unreadable files, at most
LIST = Path("unreadable_images.txt")  # of all of them
Step = TypeVar("Step")


class ImageFiles:
    """Stands in for the uint8 tensor `(N, C, H, W)` of images too many for memory: what is indexed is decoded.

    Args:
        paths: of the files, in no list, of which worker processes would each make a copy.
        shape: `(C, H, W)` that every image is given.
        resize: by which way.
    """

    def __init__(self, paths: FilePaths, shape: Sequence[int], resize: Resize = "squash") -> None:
        self.paths, self.shape, self.resize = paths, shape, resize

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Tensor) -> Tensor:
        """The images `(B, C, H, W)` at the indices `(B,)`."""
        paths = self.paths[index.numpy()]
        if not get_worker_info():
            return read_images(paths, self.shape, self.resize)
        with quietly():
            images = [read_image(path, self.shape, self.resize) for path in paths]
        batch: Tensor = default_collate(images)  # in shared memory, so that it isn't copied on its way
        return batch


def read_images(paths: Sequence[str], shape: Sequence[int], resize: Resize = "squash") -> Tensor:
    """All the images, as uint8 `(N, C, H, W)` of that `shape`.

    Raises:
        UserError: it names those that can't be read.
    """
    images = np.empty((len(paths), *shape), np.uint8)  # a tensor of inference mode would refuse what threads write

    def read(index: int) -> None:
        images[index] = read_image(paths[index], shape, resize)

    require_all(failures_of(len(paths), read, "Reading"), len(paths))
    return torch.from_numpy(images)


def unreadable(paths: Sequence[str], shape: Sequence[int]) -> dict[int, str]:
    """The indices of those images that can't be read, and why; all are decoded, none is kept."""
    return failures_of(len(paths), lambda index: read_image(paths[index], shape), "Checking")


def pixel_counts(paths: Sequence[str]) -> NDArray[np.int64]:
    """How many pixels each of the files `(N,)` has."""
    counts = np.zeros(len(paths), np.int64)

    def count(index: int) -> None:
        counts[index] = pixel_count(paths[index])

    require_all(failures_of(len(paths), count, "Measuring"), len(paths))
    return counts


def require_all(failures: Mapping[int, str], count: int, option: str = "--data.skip_unreadable") -> None:
    """Raise one UserError for all `failures` among `count` images; the `option` leaves them out."""
    if not failures:
        return
    told = "; ".join(sorted(failures.values())[:NAMED])
    if len(failures) > NAMED:
        told += f"; and {len(failures) - NAMED:,} more, all in {write_list(failures)}"
    cure = f": mend them, or go on without them by {option} true" if count > 1 else ""
    raise UserError(f"{len(failures):,} of {count:,} images can't be used: {told}{cure}")


def write_list(failures: Mapping[int, str]) -> Path:
    """Write all `failures` to `LIST` in the current folder, if it can be written to."""
    if rank_zero_only.rank == 0:  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            write_whole(LIST, "".join(f"{reason}\n" for reason in sorted(failures.values())))
    return LIST.absolute()


def failures_of(count: int, act: Callable[[int], Any], what: str) -> dict[int, str]:
    """Call `act` with every index below `count`, in threads; why it raised a UserError, by the index."""

    def failures(chunk: range) -> dict[int, str]:
        failed = {}
        for index in chunk:
            try:
                act(index)
            except UserError as error:
                failed[index] = str(error)
        return failed

    chunks = [range(start, min(start + 16, count)) for start in range(0, count, 16)]
    with quietly(), ThreadPoolExecutor() as pool:
        done = tracked(pool.map(failures, chunks), len(chunks), what, count)
        return {index: reason for failed in done for index, reason in failed.items()}


def tracked(steps: Iterable[Step], total: int, what: str, count: int) -> Iterable[Step]:
    """The `total` steps, under a progress bar on a terminal where what is done is done to many images."""
    console = rich.get_console()
    hidden = count < MANY or not console.is_terminal or rank_zero_only.rank > 0  # type: ignore[attr-defined]
    return track(steps, f"{what} {count:,} images", total, transient=True, disable=hidden)
