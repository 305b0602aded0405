"""What `fit --resume RUN` stands for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from classifiers.experiment.errors import UserError


def resumed(arguments: Sequence[str]) -> Iterator[str]:
    """The run's own config and, if it came so far, its last checkpoint, as further options before all others.

    Raises:
        UserError: the folder holds no run.
    """
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _, value = argument.partition("=")
        if name == "--resume":
            run = Path(value or following)
            if not (run / "config.yaml").is_file():
                raise UserError(f"--resume {run} is no run folder: it has no config.yaml")
            yield f"--config={run / 'config.yaml'}"
            if (last := run / "checkpoints/last.ckpt").exists():
                yield f"--ckpt_path={last}"


def require_unfinished(config: Any, checkpoint: dict[str, Any]) -> None:
    """Raise UserError if the run that `config` resumes was trained to its end and tested."""
    epochs = config.trainer.max_epochs
    ended = epochs is not None and -1 < epochs <= checkpoint["epoch"]
    if config.resume and ended and Path(config.resume, "metrics.json").exists():
        raise UserError(f"--resume {config.resume} is finished: --trainer.max_epochs above {epochs} goes on with it")
