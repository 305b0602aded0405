"""Shared memory, in which worker processes hand over their batches: torch waits for ever where it is too small."""

import math
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, Self

from classifiers.data.image_dataset import ImageDataset
from classifiers.experiment.errors import UserError

FOLDER = Path("/dev/shm")  # of Linux; where there is none, nothing limits it
AHEAD = 2  # batches that torch lets a worker fetch before they are asked for; as many are with who asks


class Batches(NamedTuple):
    """What one loader serves: how many batches, of how many bytes each."""

    number: int
    nbytes: int

    @classmethod
    def of(cls, images: ImageDataset, batch_size: int) -> Self:
        of_one = sum(tensor.nbytes for tensor in images.first(1))
        return cls(math.ceil(len(images) / batch_size), of_one * min(batch_size, len(images)))


def free_memory() -> float:
    """Bytes of shared memory that are left."""
    if not FOLDER.is_dir():
        return math.inf
    found = os.statvfs(FOLDER)
    return found.f_bavail * found.f_frsize


def needed_memory(workers: int, served: Collection[Batches]) -> int:
    """The bytes of all batches that there may be at a time, of loaders that have so many `workers` each."""
    return sum(min(AHEAD * (workers + 1), batches.number) * batches.nbytes for batches in served) if workers else 0


def fitting_workers(wanted: int | None, served: Collection[Batches], free: float) -> int:
    """The `wanted` workers of each loader; None means one a core, at most eight, as far as `free` bytes are enough.

    Raises:
        UserError: they aren't.
    """
    most = min(8, os.cpu_count() or 1) if wanted is None else wanted
    fitting = next((count for count in range(most, 0, -1) if needed_memory(count, served) <= free), 0)
    if wanted is not None and fitting < wanted:
        memory = f"{needed_memory(wanted, served) / 2**20:,.0f} MiB of shared memory, {FOLDER} has {free / 2**20:,.0f}"
        cure = f"take {fitting}, or give it more, as docker run does by --shm-size"
        raise UserError(f"--data.num_workers {wanted} needs {memory}: {cure}")
    return fitting
