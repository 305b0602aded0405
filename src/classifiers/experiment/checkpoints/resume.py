"""What `fit --resume RUN` stands for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from classifiers.experiment.errors import UserError, one_line


def resumed(arguments: Sequence[str], objects: bool = False) -> Iterator[str]:
    """The run's own config and, if it came so far, its last checkpoint, as further options before all others.

    Raises:
        UserError: the folder holds no run, or one that was made of objects, and no `objects` are given.
    """
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _, value = argument.partition("=")
        if name == "--resume":
            run = Path(value or following)
            for other in ("--seed_everything", "--init_weights"):
                if any(given.partition("=")[0] == other for given in arguments):
                    raise UserError(f"{other}: --resume goes on with the seed and the weights of the run, leave it out")
            if not (run / "config.yaml").is_file():
                raise UserError(f"--resume {run} is no run folder: it has no config.yaml")
            if not objects and made_by_hand(run) is not None:
                cure = f"there, open_run({str(run)!r}).resume() goes on with it"
                raise UserError(f"--resume {run} was made in Python, of objects: {cure}")
            yield f"--config={run / 'config.yaml'}"
            if (last := run / "checkpoints/last.ckpt").exists():
                yield f"--ckpt_path={last}"


def made_by_hand(run: Path) -> list[str] | None:
    """What objects of a run no plain values describe; None if options describe all of it.

    Raises:
        UserError: the folder holds no run.
    """
    try:
        config = yaml.safe_load((run / "config.yaml").read_text()) or {}
        names: list[str] | None = config.get("made_by_hand")
    except (OSError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise UserError(f"{run} is no run folder, or its config.yaml is damaged: {one_line(error)}") from error
    return names


def require_unfinished(config: Any, checkpoint: dict[str, Any]) -> None:
    """Raise UserError if the run that `config` resumes was trained to its end and tested."""
    epochs = config.trainer.max_epochs
    ended = epochs is not None and -1 < epochs <= checkpoint["epoch"]
    if config.resume and ended and Path(config.resume, "metrics.json").exists():
        raise UserError(f"--resume {config.resume} is finished: --trainer.max_epochs above {epochs} goes on with it")
