"""Images that were decoded already, in a file whose memory all processes share."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class MappedImages:
    """Stands in for the uint8 tensor `(N, C, H, W)` of some rows of a NumPy file: what is indexed is copied.

    A worker process is given the path and the rows alone, and maps the file for itself.

    Args:
        path: of the file.
        whole: `(M, C, H, W)`, the shape of what it holds.
        rows: which of it, `(N,)`.

    Raises:
        OSError: it isn't there, or can't be read.
        ValueError: it is damaged: begins otherwise than such a file, or has another length.
    """

    def __init__(self, path: Path, whole: Sequence[int], rows: NDArray[np.int64]) -> None:
        self.path, self.whole, self.rows = path, tuple(whole), rows
        start = header(whole)
        content: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
        if content[: len(start)].tobytes() != start or len(content) != len(start) + np.prod(whole):
            raise ValueError("damaged")
        self._pixels = np.asarray(content[len(start) :]).reshape(self.whole)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Tensor) -> Tensor:
        """The images `(B, C, H, W)` at the indices `(B,)`."""
        return torch.from_numpy(self._pixels[self.rows[index.numpy()]])

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedImages, (self.path, self.whole, self.rows)


def header(whole: Sequence[int]) -> bytes:
    """What a NumPy file of uint8 of that shape begins with."""
    begun = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": tuple(whole)}
    np.lib.format.write_array_header_1_0(begun, about)
    return begun.getvalue()
