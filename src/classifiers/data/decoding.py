"""Many image files as tensors: all at once into memory, or a batch at a time."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import rich
import torch
from lightning.pytorch.utilities import rank_zero_only
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.utils.data import get_worker_info

from classifiers.data.image_files import check_image, quietly, read_image
from classifiers.experiment.errors import UserError

MANY = 1000  # from which on there is a progress bar
NAMED = 5  # unreadable files, at most
Step = TypeVar("Step")


class ImageFiles:
    """Stands in for the uint8 tensor `(N, C, H, W)` of images too many for memory: what is indexed is decoded.

    Args:
        paths: of the files, in an array, as worker processes would each make a copy of a list.
        shape: `(C, H, W)` that every image is given.
    """

    def __init__(self, paths: NDArray[np.str_], shape: Sequence[int]) -> None:
        self.paths, self.shape = paths, shape

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Tensor) -> Tensor:
        """The images `(B, C, H, W)` at the indices `(B,)`."""
        paths = self.paths[index.numpy()]
        if get_worker_info():
            with quietly():
                return torch.stack([read_image(path, self.shape) for path in paths])
        return read_images(paths, self.shape)


def read_images(paths: Sequence[str] | NDArray[np.str_], shape: Sequence[int]) -> Tensor:
    """All the images, as uint8 `(N, C, H, W)` of that `shape`.

    Raises:
        UserError: it names those that can't be read.
    """
    images = torch.empty(len(paths), *shape, dtype=torch.uint8)

    def read(index: int) -> None:
        images[index] = read_image(paths[index], shape)

    _for_all(len(paths), read, "Reading")
    return images


def check_images(paths: Sequence[str] | NDArray[np.str_]) -> None:
    """Look at the headers of all the files.

    Raises:
        UserError: it names those that are no images.
    """
    _for_all(len(paths), lambda index: check_image(paths[index]), "Checking")


def _for_all(count: int, act: Callable[[int], None], what: str) -> None:
    """Call `act` with every index below `count`, in threads, and raise one UserError for all that it raised."""

    def failures(chunk: range) -> list[str]:
        failed = []
        for index in chunk:
            try:
                act(index)
            except UserError as error:
                failed.append(str(error))
        return failed

    chunks = [range(start, min(start + 16, count)) for start in range(0, count, 16)]
    with quietly(), ThreadPoolExecutor() as pool:
        done = tracked(pool.map(failures, chunks), len(chunks), what, count)
        failed = sorted(reason for reasons in done for reason in reasons)
    if failed:
        more = f"; and {len(failed) - NAMED:,} more" if len(failed) > NAMED else ""
        raise UserError(f"{len(failed):,} of {count:,} images can't be used: {'; '.join(failed[:NAMED])}{more}")


def tracked(steps: Iterable[Step], total: int, what: str, count: int) -> Iterable[Step]:
    """The `total` steps, under a progress bar on a terminal where what is done is done to many images."""
    console = rich.get_console()
    hidden = count < MANY or not console.is_terminal or rank_zero_only.rank > 0  # type: ignore[attr-defined]
    return track(steps, f"{what} {count:,} images", total, transient=True, disable=hidden)
