"""What Lightning gets wrong, or does slowly, and only its private names can mend. No other file uses these.

Seen in Lightning 2.6.6. Each mend has a test that fails when its name is gone, or when Lightning needs it no longer.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, _InstantiatorFn
from lightning.pytorch.core.mixins.hparams_mixin import _given_hyperparameters
from lightning.pytorch.profilers import PassThroughProfiler
from torch import Tensor

Model = TypeVar("Model", bound=LightningModule)


def built_from_config() -> bool:
    """Whether the module under construction is built by the command line, so that its settings are plain values.

    Otherwise `save_hyperparameters()` keeps objects, and a checkpoint with these can't be read as data.
    """
    return _given_hyperparameters.get() is not None


def instantiate(cli: LightningCLI, kind: type[Model], links: dict[str, Any], *args: Any, **kwargs: Any) -> Model:
    """Build the model as the command line does, but note only these `links` among its settings.

    Lightning notes all, those that the class in question doesn't take too, and such settings build no model again.
    """
    return _InstantiatorFn(cli, "model")(kind, *args, applied_instantiation_links=links, **kwargs)


class QuickHooks(LightningModule):
    """Notes the hook that it is in without `nn.Module`'s checks, of which a step would pay some fifty."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)


class NoProfiler(PassThroughProfiler):
    """Lightning's default profiler without its price: a new context manager in each of some sixty hooks a step."""

    nothing = nullcontext()

    def profile(self, action_name: str) -> AbstractContextManager[None]:  # type: ignore[override]
        return self.nothing


def read_nothing_between_logs(trainer: Trainer) -> None:
    """Without it, a GPU waits in each step for a number of each `prog_bar` value (#21232), and for what processes tell
    each other of SIGTERM (#21487), as `StopOnSignal` lets them do now and then.
    """
    connector, loop = trainer._logger_connector, trainer.fit_loop.epoch_loop
    connector.on_batch_end = partial(_on_batch_end, trainer, connector.on_batch_end)  # type: ignore[method-assign]
    loop._broadcast_sigterm_tensor = nullcontext  # type: ignore[assignment, method-assign]


def _on_batch_end(trainer: Trainer, update: Callable[[], None]) -> None:
    due = trainer._logger_connector.should_update_logs or trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
    if due or not trainer.training or trainer._results is None:
        update()
    else:
        trainer._results.batch = trainer._results.batch_size = None


def bar_metrics(trainer: Trainer) -> dict[str, Any]:
    """What is logged with `prog_bar=True`: on an accelerator as of the last log, or it would have to wait."""
    at_once = trainer.strategy.root_device.type == "cpu"
    return trainer.progress_bar_metrics if at_once else trainer._logger_connector._progress_bar_metrics


def count_steps_rightly(trainer: Trainer) -> None:
    """In the first step after a resume: without it loggers' steps are one ahead from there on (#19367), and
    `ReduceLROnPlateau` doesn't see the end of that epoch, which is taken to be restarting still (since #14702).
    """
    trainer.fit_loop._restarting = False
    trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step


def epoch_sums(trainer: Trainer) -> dict[str, dict[str, Tensor]]:
    """What `self.log(…, on_epoch=True)` has summed up of a training epoch so far. It is in no checkpoint, so that after
    a resume the epoch's means would be those of the batches that were left.
    """
    return {
        key: {name: result.meta.sync(getattr(result, name).clone()) for name in result.metric_state}
        for key, result in trainer.fit_loop.epoch_loop._results.items()
        if result.is_tensor and result.meta.on_epoch and result.update_called
    }


def add_epoch_sums(trainer: Trainer, sums: dict[str, dict[str, Tensor]]) -> None:
    """Add what `epoch_sums` returned to what is logged of it since a resume, and take it from `sums` then."""
    results = trainer.fit_loop.epoch_loop._results
    for key in [key for key in sums if key in results]:
        result = results[key]
        of_all = result.meta.is_sum_reduction and not trainer.is_global_zero  # is counted in the first process
        reduce = result.meta.reduce_fx if result.meta.is_max_reduction or result.meta.is_min_reduction else torch.add
        for name, value in sums.pop(key).items() if not of_all else ():
            setattr(result, name, reduce(getattr(result, name), value.to(result.value.device)))


class OpenCLI(LightningCLI):
    """LightningCLI with five of its inner steps as hooks to override. It reads a checkpoint's settings over those that
    are given (#21116), makes every subcommand's options (60 ms each) and knows one way to build a model.
    """

    def _parse_ckpt_path(self) -> None:
        self.read_ckpt_path()

    def read_ckpt_path(self) -> None:
        """Look at the checkpoint that is named, if one is, after the options are parsed."""

    def _add_instantiators(self) -> None:
        self.add_instantiators()

    def add_instantiators(self) -> None:
        """Say how the model is built; the data module is as ever."""

    def _set_seed(self) -> None:
        self.set_seed()

    def set_seed(self) -> None:
        """Seed all generators as `--seed_everything` says."""
        super()._set_seed()

    def plain_config(self) -> dict[str, Any]:
        """All options of the subcommand as plain values, and the targets of links."""
        self._dump_config()
        return self.config_dump  # type: ignore[no-any-return]

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        if not self.needs_options(subcommand):
            return self.init_parser(**kwargs)
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        self.add_subcommand_arguments(parser, subcommand)
        return parser

    def needs_options(self, subcommand: str) -> bool:
        """Whether its options may be asked for."""
        return True

    def add_subcommand_arguments(self, parser: LightningArgumentParser, subcommand: str) -> None:
        """Add options that other subcommands don't have."""
