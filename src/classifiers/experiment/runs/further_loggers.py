"""What the loggers that a user adds are told of a run beside its metrics: all settings, and what it came to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import Logger

from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.runs.event_file import EventFile
from classifiers.experiment.runs.loggers import MetricsCSV
from classifiers.experiment.runs.summary import best_metrics
from classifiers.experiment.settings import flat
from classifiers.experiment.terminal import say


def further(trainer: Trainer) -> list[Logger]:
    """Those that aren't the run folder's own; none in any process but the first."""
    own = EventFile, MetricsCSV
    return [logger for logger in trainer.loggers if not isinstance(logger, own)] if trainer.is_global_zero else []


def tell_settings(trainer: Trainer, folder: Path, resumed: bool) -> None:
    """Tell them the settings in `folder` under the names of their options, and which folder it is.

    A run that goes on may have changed some, which MLflow refuses: such a logger keeps those that it has.
    """
    settings = {**flat(yaml.safe_load((folder / "config.yaml").read_text())), "run folder": str(folder)}
    for logger in further(trainer):
        try:
            logger.log_hyperparams(settings)
        except Exception as error:  # each has its own kind
            if not resumed:
                raise UserError(f"{type(logger).__name__} takes no settings: {one_line(error)}") from error
            say(f"{type(logger).__name__} keeps the settings that it has: {one_line(error)}")


def tell_result(trainer: Trainer, result: Mapping[str, Any]) -> None:
    """Tell them what the best checkpoint came to."""
    for logger in further(trainer):
        logger.log_metrics(best_metrics(result), trainer.global_step)
        logger.finalize("success")
