"""The Trainer of a command line, with the callbacks that keep the promises of a fit."""

from collections.abc import Iterator
from typing import Any

from lightning.fabric.plugins import TorchCheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ProgressBar as LightningBar
from lightning.pytorch.callbacks import SpikeDetection

from classifiers.experiment.checkpoints.exact_resume import ExactResume
from classifiers.experiment.checkpoints.initial_weights import InitialWeights
from classifiers.experiment.checkpoints.restored_callbacks import RestoredCallbacks
from classifiers.experiment.checkpoints.same_data import SameData
from classifiers.experiment.checkpoints.writing import AtomicCheckpointIO
from classifiers.experiment.command.checkpoint_cli import CheckpointCLI
from classifiers.experiment.command.explain import trainer_option
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.mends.callbacks import LateAveraging, PruningInRows, load_what_it_saves
from classifiers.experiment.mends.steps import ClipFused, NoProfiler, read_nothing_between_logs
from classifiers.experiment.monitors import require_mode
from classifiers.experiment.runs.folder import RunFolder
from classifiers.experiment.runs.loggers import ComingLoggers
from classifiers.experiment.sampling.other_batches import OtherBatches
from classifiers.experiment.training.finite_loss import FiniteLoss
from classifiers.experiment.training.learning_rate import LearningRate
from classifiers.experiment.training.progress_bar import ProgressBar
from classifiers.experiment.training.searches import Searches
from classifiers.experiment.training.stop_on_signal import StopOnSignal
from classifiers.experiment.training.threads import Threads
from classifiers.experiment.training.waiting import end_at_signals_while_waiting

FIRST = (StopOnSignal, LateAveraging, PruningInRows, Searches)  # of all callbacks
POSITIVE = ("accumulate_grad_batches", "check_val_every_n_epoch", "val_check_interval")  # Lightning divides by these


class TrainerCLI(CheckpointCLI):
    """Unlike the base class, adds callbacks of its own to those that options name."""

    def callbacks(self, config: Any) -> Iterator[Callback]:
        """What a task adds to the subcommand whose options are `config`."""
        yield from ()

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        config = self.config[self.subcommand]
        self.trainer_defaults["callbacks"] = [*self._own_callbacks(config)]
        for name in POSITIVE:
            if isinstance(config.trainer[name], int | float) and config.trainer[name] <= 0:
                raise UserError(f"--trainer.{name} is {config.trainer[name]}: it must be more than 0")
        if config.trainer.barebones:
            self.save_config_callback = None
        elif config.trainer.profiler is None:
            kwargs["profiler"] = NoProfiler()
        if config.trainer.barebones or config.trainer.enable_checkpointing is False:
            self.leave_out_own_callbacks()
        kwargs |= self.trainer_objects
        if given := kwargs.get("callbacks"):
            further = given if isinstance(given, list | tuple) else [given]
            kwargs["callbacks"] = [*(self.config_init[self.subcommand].trainer.callbacks or []), *further]
        try:
            trainer = super().instantiate_trainer(**kwargs)
        except (MisconfigurationException, ValueError, TypeError, ModuleNotFoundError) as error:
            told = one_line(error).partition(" Find a complete list")[0]
            raise UserError(f"{trainer_option(config.trainer, told)}: {told}") from error
        if self.subcommand == "fit" and hasattr(trainer.strategy.launcher, "get_extra_results"):
            named, cure = _strategy(config), "a script with --trainer.strategy ddp starts them anew"
            raise UserError(f"{named}: its processes end without telling this one of the run's folder: {cure}")
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = AtomicCheckpointIO()
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        callbacks.sort(key=lambda callback: not isinstance(callback, FIRST))
        if any(isinstance(callback, RunFolder) for callback in callbacks):
            trainer.loggers = [ComingLoggers(trainer.default_root_dir), *trainer.loggers]
        read_nothing_between_logs(trainer)
        for callback in callbacks:
            if isinstance(callback, SpikeDetection):
                load_what_it_saves(callback)
            require_mode(type(callback).__name__, *(str(getattr(callback, name, "")) for name in ("monitor", "mode")))
        end_at_signals_while_waiting(trainer)
        return trainer

    def _own_callbacks(self, config: Any) -> Iterator[Callback]:
        if config.trainer.barebones:
            return
        yield from self.callbacks(config)
        if self.subcommand != "fit":
            yield SameData(self.checkpoint.get("data"))
            return
        yield from (SameData(changed=config.changed_data), ExactResume(), RestoredCallbacks(), OtherBatches())
        yield from (StopOnSignal(), LateAveraging(), PruningInRows(), ClipFused(), Searches(config))
        yield from (FiniteLoss(), LearningRate(), Threads(config.threads))
        own = self.config_init.fit.trainer.callbacks or []
        if config.trainer.enable_progress_bar is not False and not any(isinstance(c, LightningBar) for c in own):
            yield ProgressBar()
        if config.init_weights and not config.ckpt_path:
            yield InitialWeights(config.init_weights)


def _strategy(config: Any) -> str:
    named = config.trainer.strategy
    return f"--trainer.strategy {named}" if isinstance(named, str) and named != "auto" else "ddp_notebook"
