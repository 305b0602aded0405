"""What surrounds a fit: its options, and one test of its best checkpoint at the end."""

from collections.abc import Sequence
from typing import Any, TypeVar

from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.utilities.model_helpers import is_overridden

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint, LastCheckpoint, checkpoints_of
from classifiers.experiment.checkpoints.reading import read_checkpoint
from classifiers.experiment.command.trainer_cli import TrainerCLI
from classifiers.experiment.errors import UserError
from classifiers.experiment.runs.event_file import EventFile
from classifiers.experiment.runs.folder import RunFolder
from classifiers.experiment.runs.further_loggers import tell_result
from classifiers.experiment.runs.panels import print_end
from classifiers.experiment.runs.summary import summarise, write_metrics
from classifiers.experiment.settings import flat
from classifiers.experiment.terminal import say
from classifiers.experiment.training.early_end import early_end
from classifiers.experiment.training.threads import use_threads

Kind = TypeVar("Kind", bound=Callback)
LOADERS = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("predict",)}


class FitCLI(TrainerCLI):
    """Unlike the base class, `fit` keeps what it leaves in a run folder and ends with a test."""

    metrics: Sequence[str] = ("val/loss", "test/loss")  # what a run is told by; the first chooses the best checkpoint

    options: Sequence[str] = (  # not the Trainer's
        "config", "experiment", "resume", "changed_data", "init_weights", "ckpt_path", "threads"
    )  # fmt: skip

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

    def after_fit(self) -> None:
        """Test the best checkpoint, and write and print what the run came to."""
        if self.config.fit.trainer.barebones:
            say(f"barebones: {self.trainer.global_step} steps are made, and nothing is logged, saved or tested")
            return
        if self.config.fit.trainer.fast_dev_run:
            self._test()
            return
        run = self.callback(RunFolder)
        trained = {name: value.item() for name, value in self.trainer.callback_metrics.items()}
        epochs, ended = self.trainer.current_epoch, early_end(self.trainer, self.config.fit.trainer.max_time)
        if best := self._best():
            self.model.load_state_dict(best["state_dict"])  # with `ckpt_path`, weight averaging would test the others
        else:
            say("there is no best checkpoint, as no epoch was validated and saved: the last weights are tested")
        tested = self._test()
        if self.trainer.is_global_zero:
            result = summarise(self.config.fit, epochs, run.seconds, trained, best, tested)
            write_metrics(run.folder, result)
            settings = {name: self.plain_config().get(name) for name in ("seed_everything", "data", "model")}
            events = next(logger for logger in self.trainer.loggers if isinstance(logger, EventFile))
            max_epochs = {"max_epochs": self.config.fit.trainer.max_epochs}
            events.log_final(flat(settings, leave_out=self.linked()) | max_epochs, result)
            events.close()
            tell_result(self.trainer, result)
            if ended:
                say(ended)
            print_end(run.folder, result, self.end_rows())

    def end_rows(self) -> dict[str, str]:
        """What a task tells of the test at the end of a fit, beside its metrics."""
        return {}

    def _best(self) -> dict[str, Any] | None:
        paths = [callback.best_model_path for callback in checkpoints_of(self.trainer, BestCheckpoint)]
        return read_checkpoint(paths[0], self.plain_config().get("model")) if any(paths) else None

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
