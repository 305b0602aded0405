"""How checkpoints reach the disk and come back."""

import contextlib
import copy
import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from torch import Tensor

from classifiers.experiment.files import GO_ON, replacing, writing

WAITING = 2  # checkpoints of a fit that may be in memory until they are written: best and last


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target and renames, so that a whole checkpoint is always there; reads data, never code.

    Lightning's own writes into the system's temporary folder and moves: across file systems that is no rename. Its
    `AsyncCheckpointIO` loads and removes files that it hasn't written yet, and copies tensors alone.
    """

    def __init__(self) -> None:
        self._background = False
        self._writer: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()

    @contextlib.contextmanager
    def in_background(self) -> Iterator[None]:
        """While this lasts, checkpoints are copied in memory, and written in their order while the fit goes on."""
        self._background = True
        try:
            yield
        finally:
            self._background = False

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`.

        Raises:
            UserError: it, or one before it, can't be written; what was at that path is there still.
        """
        self.wait(WAITING - 1 if self._background else 0)
        if self._background:
            with contextlib.suppress(torch.OutOfMemoryError):  # if there is none for a copy, it is written at once
                content = snapshot(checkpoint)
                self._writer = self._writer or ThreadPoolExecutor(1, "checkpoints")
                self._pending.append(self._writer.submit(write, content, Path(path)))
                return
            self.wait()
        write(checkpoint, Path(path))

    def wait(self, pending: int = 0) -> None:
        """Until no more than `pending` checkpoints are still to be written; UserError if one couldn't be."""
        while len(self._pending) > pending or (self._pending and self._pending[0].done()):
            self._pending.popleft().result()

    def load_checkpoint(self, path: str | Path, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.wait()
        content: dict[str, Any] = super().load_checkpoint(path, *args, **{**kwargs, "weights_only": True})
        return content

    def teardown(self) -> None:
        writer, self._writer = self._writer, None
        if writer:
            writer.shutdown()
        self.wait()


def snapshot(value: Any) -> Any:
    """A copy of nested values that nothing changes any more; of tensors where they are."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        copied = copy.copy(value)  # with the attributes that a state dict has
        copied.update((key, snapshot(item)) for key, item in value.items())
        return copied
    return [snapshot(item) for item in value] if type(value) is list else copy.deepcopy(value)


def write(checkpoint: dict[str, Any], target: Path) -> None:
    """Write `checkpoint` to `target`, as a whole or not at all; UserError if it can't be."""
    with writing(target, f"any earlier one is whole, {GO_ON}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()  # into a file, torch.save hides why it fails
        torch.save(checkpoint, content)
        with replacing(target) as file:
            file.write(content.getbuffer())
