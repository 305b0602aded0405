"""What surrounds a fit: the callbacks that keep its promises, and one test of its best checkpoint at the end."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from lightning.fabric.plugins import TorchCheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ProgressBar as LightningBar
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.utilities.model_helpers import is_overridden

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint, LastCheckpoint
from classifiers.experiment.checkpoints.exact_resume import ExactResume
from classifiers.experiment.checkpoints.initial_weights import InitialWeights
from classifiers.experiment.checkpoints.reading import read_checkpoint
from classifiers.experiment.checkpoints.restored_callbacks import RestoredCallbacks
from classifiers.experiment.checkpoints.same_data import SameData
from classifiers.experiment.checkpoints.writing import AtomicCheckpointIO
from classifiers.experiment.command.checkpoint_cli import CheckpointCLI
from classifiers.experiment.command.explain import trainer_option
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.mends.callbacks import LateAveraging
from classifiers.experiment.mends.steps import NoProfiler, read_nothing_between_logs
from classifiers.experiment.monitors import require_mode
from classifiers.experiment.runs.folder import RunFolder
from classifiers.experiment.runs.loggers import EventFile
from classifiers.experiment.runs.panels import print_end
from classifiers.experiment.runs.summary import summarise, write_metrics
from classifiers.experiment.sampling.other_batches import OtherBatches
from classifiers.experiment.settings import flat
from classifiers.experiment.terminal import say
from classifiers.experiment.training.finite_loss import FiniteLoss
from classifiers.experiment.training.learning_rate import LearningRate
from classifiers.experiment.training.progress_bar import ProgressBar
from classifiers.experiment.training.stop_on_signal import StopOnSignal
from classifiers.experiment.training.threads import Threads, use_threads
from classifiers.experiment.training.waiting import end_at_signals_while_waiting

Kind = TypeVar("Kind", bound=Callback)
LOADERS = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("predict",)}


class FitCLI(CheckpointCLI):
    """Unlike the base class, `fit` keeps what it leaves in a run folder and ends with a test."""

    metrics: Sequence[str] = ("val/loss", "test/loss")  # what a run is told by; the first chooses the best checkpoint

    options: Sequence[str] = (  # not the Trainer's
        "config", "experiment", "resume", "changed_data", "init_weights", "ckpt_path", "threads"
    )  # fmt: skip

    def callbacks(self, config: Any) -> Iterator[Callback]:
        """What a task adds to the subcommand whose options are `config`."""
        yield from ()

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--experiment", type=str | None, help="Names the run's folder; null: as the first config")
        parser.add_argument("--resume", type=str | None, help="Run folder whose fit goes on in place")
        parser.add_argument("--changed_data", type=bool, default=False, help="Whether it may go on with other data")
        parser.add_argument("--threads", type=int | None, help="In which a CPU computes; null: as torch likes")
        parser.add_argument("--made_by_hand", type=list[str] | None, help="Written by fits of objects made in Python")
        parser.add_argument("--init_weights", type=str | None, help="Checkpoint whose weights start the fit")
        parser.add_lightning_class_args(BestCheckpoint, "best_checkpoint")
        parser.add_lightning_class_args(LastCheckpoint, "last_checkpoint")
        parser.set_defaults({"best_checkpoint.monitor": self.metrics[0]})
        for source, target in self.links.items() if self.objects is None else ():
            parser.link_arguments(source, target, apply_on="instantiate")

    def instantiate_classes(self) -> None:
        use_threads(self.config[self.subcommand].threads)
        super().instantiate_classes()
        for stage in LOADERS[str(self.subcommand)]:
            if not is_overridden(f"{stage}_dataloader", self.datamodule):
                name = type(self.datamodule).__name__
                raise UserError(f"{name} has no {stage}_dataloader, which {self.subcommand} needs: give it that method")

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        config = self.config[self.subcommand]
        own = self._fit_callbacks(config) if self.subcommand == "fit" else [SameData(self.checkpoint.get("data"))]
        self.trainer_defaults["callbacks"] = [*self.callbacks(config), *own]
        if config.trainer.profiler is None:
            kwargs["profiler"] = NoProfiler()
        for name in ("accumulate_grad_batches", "check_val_every_n_epoch", "val_check_interval"):
            if isinstance(config.trainer[name], int | float) and config.trainer[name] <= 0:  # Lightning divides by it
                raise UserError(f"--trainer.{name} is {config.trainer[name]}: it must be more than 0")
        kwargs |= self.trainer_objects
        if given := kwargs.get("callbacks"):
            further = given if isinstance(given, list | tuple) else [given]
            kwargs["callbacks"] = [*(self.config_init[self.subcommand].trainer.callbacks or []), *further]
        try:
            trainer = super().instantiate_trainer(**kwargs)
        except (MisconfigurationException, ValueError, TypeError, ModuleNotFoundError) as error:
            raise UserError(f"{trainer_option(config.trainer, str(error))}: {one_line(error)}") from error
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = AtomicCheckpointIO()
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        callbacks.sort(key=lambda callback: not isinstance(callback, StopOnSignal | LateAveraging))
        read_nothing_between_logs(trainer)
        for callback in callbacks:
            require_mode(type(callback).__name__, *(str(getattr(callback, name, "")) for name in ("monitor", "mode")))
        end_at_signals_while_waiting(trainer)
        return trainer

    def _fit_callbacks(self, config: Any) -> Iterator[Callback]:
        yield from (SameData(changed=config.changed_data), ExactResume(), RestoredCallbacks(), OtherBatches())
        yield from (StopOnSignal(), LateAveraging(), FiniteLoss(), LearningRate(), Threads(config.threads))
        own = self.config_init.fit.trainer.callbacks or []
        if config.trainer.enable_progress_bar is not False and not any(isinstance(c, LightningBar) for c in own):
            yield ProgressBar()
        if config.init_weights and not config.ckpt_path:
            yield InitialWeights(config.init_weights)

    def after_fit(self) -> None:
        """Test the best checkpoint, and write and print what the run came to."""
        if self.config.fit.trainer.fast_dev_run:
            self._test()
            return
        run = self.callback(RunFolder)
        trained = {name: value.item() for name, value in self.trainer.callback_metrics.items()}
        epochs = self.trainer.current_epoch
        if not (path := self.callback(BestCheckpoint).best_model_path):
            raise UserError("no epoch was validated, so there is no best checkpoint to test: last.ckpt is all there is")
        best = read_checkpoint(path, self.plain_config().get("model"))
        self.model.load_state_dict(best["state_dict"])  # with `ckpt_path`, weight averaging would test the others
        tested = self._test()
        if self.trainer.is_global_zero:
            result = summarise(self.config.fit, epochs, run.seconds, trained, best, tested)
            write_metrics(run.folder, result)
            settings = {name: self.plain_config().get(name) for name in ("seed_everything", "data", "model")}
            events = next(logger for logger in self.trainer.loggers if isinstance(logger, EventFile))
            max_epochs = {"max_epochs": self.config.fit.trainer.max_epochs}
            events.log_final(flat(settings, leave_out=self.linked()) | max_epochs, result)
            events.close()
            print_end(run.folder, result)

    def _test(self) -> dict[str, float]:
        for owner, name in ((self.model, "test_step"), (self.datamodule, "test_dataloader")):
            if not is_overridden(name, owner):
                say(f"there is no test: {type(owner).__name__} has no {name}")
                return {}
        found = self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        return dict(found[0]) if found else {}

    def callback(self, kind: type[Kind]) -> Kind:
        """The trainer's callback of that kind."""
        callbacks: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        return next(callback for callback in callbacks if isinstance(callback, kind))
