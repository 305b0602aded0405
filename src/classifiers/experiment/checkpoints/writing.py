"""How checkpoints reach the disk and come back."""

import io
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from classifiers.experiment.errors import UserError
from classifiers.experiment.files import replacing


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target and renames, so that a whole checkpoint is always there; reads data, never code.

    Lightning's own writes into the system's temporary folder and moves: across file systems that is no rename.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`.

        Raises:
            UserError: it can't be written; what was at `path` is there still.
        """
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            content = io.BytesIO()  # into a file, torch.save hides why it fails
            torch.save(checkpoint, content)
            with replacing(target) as file:
                file.write(content.getbuffer())
        except OSError as error:
            reason = f"can't write {target} ({error.strerror})"
            raise UserError(f"{reason}; any earlier one is whole: make room, then go on with --resume") from error

    def load_checkpoint(self, path: str | Path, *args: Any, **kwargs: Any) -> dict[str, Any]:
        content: dict[str, Any] = super().load_checkpoint(path, *args, **{**kwargs, "weights_only": True})
        return content
