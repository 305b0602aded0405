"""A fit in this process, from Python."""

import json
from collections.abc import Mapping
from contextvars import copy_context
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule

from classifiers.experiment.checkpoints.describing import PLAIN
from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.errors import UserError, as_user_errors
from classifiers.experiment.quiet import quiet
from classifiers.experiment.terminal import encodable
from classifiers.experiment.training.stop_on_signal import exiting_on_signals

SHORT = {"seed": "seed_everything", "monitor": "best_checkpoint.monitor"}
Objects = tuple[LightningModule, LightningDataModule]
one_at_a_time = Lock()


class Stopped(KeyboardInterrupt):
    """A fit was stopped by Ctrl-C or a notebook's interrupt, in order."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def fitted(
    cli: type[ExperimentCLI], overrides: Mapping[str, Any], objects: Objects | None, options: Mapping[str, Any]
) -> ExperimentCLI:
    """Fit as the command line does. `overrides` have the names of options; `options` may be short, as `seed` is, or
    those of the Trainer, and objects.

    Raises:
        UserError: a mistake in what is given.
        Stopped: Ctrl-C; `last.ckpt` is kept.
    """
    named = {**overrides, **{option_name(cli, name): value for name, value in options.items()}}
    made = {name.removeprefix("trainer."): value for name, value in named.items() if not _is_plain(value)}
    arguments = [f"--{name}={_text(value)}" for name, value in named.items() if _is_plain(value)]
    for name in ("fast_dev_run", "barebones"):
        if named.get(f"trainer.{name}"):
            raise UserError(f"{name} leaves no run: use a Trainer of your own, or limit_train_batches")
    for name in named if objects else ():
        if name.partition(".")[0] in ("model", "data"):
            raise UserError(f"{name} is no option of a fit of objects: give it to the object where you make it")
    if objects and not objects[0].training:
        objects[0].train()  # it is a fitted one, of an earlier run
    if not one_at_a_time.acquire(blocking=False):
        raise UserError("a fit is running in this process: wait for its end, or start another process")
    threads = torch.get_num_threads()
    try:
        with as_user_errors(), encodable(), exiting_on_signals(), quiet():
            done = copy_context().run(cli, ["fit", *arguments], objects, **made)  # jsonargparse would keep its parser
            objects = done.model, done.datamodule
            return done
    except SystemExit as end:
        if end.code == 130:
            raise Stopped("stopped: open_run(…).resume() goes on with it") from None
        raise
    finally:
        for part in objects or ():
            part.trainer = None  # or it would keep all of the fit alive
        torch.set_num_threads(threads)
        one_at_a_time.release()


def option_name(cli: type[ExperimentCLI], name: str) -> str:
    """The option that `name` stands for: its own, or the Trainer's."""
    name = SHORT.get(name, name)
    return name if name in (*cli.options, *SHORT.values()) or "." in name else f"trainer.{name}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, dict | Path) or type(value) in PLAIN


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | Path) else json.dumps(value)
