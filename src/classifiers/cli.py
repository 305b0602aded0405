"""The command line: Lightning's, with the data module linked into the model and a test after every fit."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lightning.fabric.plugins import TorchCheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ProgressBar as LightningBar
from lightning.pytorch.cli import ArgsType, LightningArgumentParser
from torch import distributed

from classifiers.callbacks import ClassMetrics, Figures, TensorBoardCharts
from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.experiment.checkpoints.callbacks import BestCheckpoint, LastCheckpoint
from classifiers.experiment.checkpoints.exact_resume import ExactResume
from classifiers.experiment.checkpoints.initial_weights import InitialWeights
from classifiers.experiment.checkpoints.reading import read_checkpoint
from classifiers.experiment.checkpoints.resume import resumed
from classifiers.experiment.checkpoints.writing import AtomicCheckpointIO
from classifiers.experiment.command.checkpoint_cli import CheckpointCLI
from classifiers.experiment.command.explain import trainer_option
from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import UserError, one_line, reported
from classifiers.experiment.runs.folder import RunFolder
from classifiers.experiment.runs.loggers import EventFile
from classifiers.experiment.runs.panels import print_end
from classifiers.experiment.runs.summary import summarise, write_metrics
from classifiers.experiment.settings import MODEL_LINKS, NET_LINKS, flat
from classifiers.experiment.terminal import quieten, say
from classifiers.experiment.training.finite_loss import FiniteLoss
from classifiers.experiment.training.progress_bar import ProgressBar
from classifiers.experiment.training.speed import NoProfiler
from classifiers.experiment.training.stop_on_signal import StopOnSignal, exiting_on_signals
from classifiers.inference.predictions_csv import write_predictions

# Given before all other options: as defaults of the parser they would leave their values to a class that replaces them.
DEFAULT_CLASSES = (
    "--data=FashionMNISTDataModule",
    "--model.net=ConvNet",
    "--model.optimizer=AdamW",
    "--model.loss=torch.nn.CrossEntropyLoss",
)
Kind = TypeVar("Kind", bound=Callback)


class ClassifierCLI(CheckpointCLI):
    """`fit`, `validate`, `test` and `predict` for any data module and any net."""

    def __init__(self, args: Sequence[str] | None = None) -> None:
        self.given = list(sys.argv[1:] if args is None else args)
        self.asked = next((name for name in self.given[:1] if name in self.subcommands()), None)
        strict: dict[str, Any] = {"allow_abbrev": False}
        super().__init__(
            ImageClassifier,
            ImageDataModule,
            subclass_mode_data=True,
            save_config_callback=RunFolder,
            trainer_defaults={
                "max_epochs": 10,
                "logger": False,
                "enable_autolog_hparams": False,
                "enable_model_summary": False,
            },
            seed_everything_default=0,
            parser_class=StrictParser,
            parser_kwargs={"prog": "classifiers", **strict, **{name: dict(strict) for name in self.subcommands()}},
            auto_configure_optimizers=False,
            args=self.given,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--experiment", type=str | None, help="Names the run's folder; null: as the first config")
        parser.add_argument("--resume", type=str | None, help="Run folder whose fit goes on in place")
        parser.add_argument("--figures", type=bool, default=True, help="Whether a fit draws figures into its folder")
        parser.add_argument("--init_weights", type=str | None, help="Checkpoint whose weights start the fit")
        parser.add_lightning_class_args(BestCheckpoint, "best_checkpoint")
        parser.add_lightning_class_args(LastCheckpoint, "last_checkpoint")
        for name in MODEL_LINKS:
            parser.link_arguments(f"data.{name}", f"model.{name}", apply_on="instantiate")
        for name in NET_LINKS:
            parser.link_arguments(f"data.{name}", f"model.net.init_args.{name}", apply_on="instantiate")

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        if self.asked not in (None, subcommand):
            return self.init_parser(**kwargs)  # whose options nobody reads
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand == "predict":
            parser.add_argument("--predictions", type=Path | None, help="CSV file of the class probabilities")
        return parser

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        options = list(self.given)
        if self.asked:
            options[1:1] = [*DEFAULT_CLASSES, *resumed(options)]
        try:
            self.config = parser.parse_args(options)
        except UnicodeDecodeError as error:
            raise UserError("a config file must be text in UTF-8") from error
        config = self.config[self.config.subcommand]
        if root := config.data.init_args.get("root"):
            config.data.init_args.root = str(Path(root).absolute())  # a run goes on from any folder
        if config.experiment is None:
            config.experiment = Path(str(config.config[0])).stem if config.config else "default"
        if Path(config.experiment).is_absolute() or ".." in Path(config.experiment).parts:
            raise UserError(f"--experiment is {config.experiment}: it must be a folder below the root of all runs")
        if config.weights_only is False:
            raise UserError("--weights_only is false: a checkpoint is loaded as plain values only, never as code")
        config.weights_only = True

    def _set_seed(self) -> None:
        try:
            super()._set_seed()
        except ValueError as error:
            raise UserError(f"--seed_everything: {error}") from error

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        own = self._fit_callbacks(self.config.fit) if self.subcommand == "fit" else ()
        self.trainer_defaults["callbacks"] = [ClassMetrics(), *own]
        config = self.config[self.subcommand].trainer
        if config.profiler is None:
            kwargs["profiler"] = NoProfiler()
        for name in ("accumulate_grad_batches", "check_val_every_n_epoch", "val_check_interval"):
            if isinstance(config[name], int | float) and config[name] <= 0:  # Lightning would divide by it
                raise UserError(f"--trainer.{name} is {config[name]}: it must be more than 0")
        try:
            trainer = super().instantiate_trainer(**kwargs)
        except (MisconfigurationException, ValueError, TypeError, ModuleNotFoundError) as error:
            raise UserError(f"{trainer_option(config, str(error))}: {one_line(error)}") from error
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = AtomicCheckpointIO()
        return trainer

    def _fit_callbacks(self, config: Any) -> Iterator[Callback]:
        yield from (ExactResume(), StopOnSignal(), FiniteLoss(), TensorBoardCharts())
        if config.figures and not config.trainer.fast_dev_run:
            yield Figures(f"{config.experiment}, seed {config.seed_everything}")
        own = self.config_init.fit.trainer.callbacks or []
        if config.trainer.enable_progress_bar is not False and not any(isinstance(c, LightningBar) for c in own):
            yield ProgressBar()
        if config.init_weights and not config.ckpt_path:
            yield InitialWeights(config.init_weights)

    def predict(self, **arguments: Any) -> None:
        """Unlike the base class, write the class probabilities where `--predictions` says."""
        if path := self.config.predict.predictions:
            write_predictions(path, self.trainer, self.model.class_names, **arguments)
        else:
            self.trainer.predict(**arguments)
            say("nothing is written without --predictions FILE.csv")

    def after_fit(self) -> None:
        if self.config.fit.trainer.fast_dev_run:
            self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
            return
        run = self._callback(RunFolder)
        path = self._callback(BestCheckpoint).best_model_path
        trained = {name: value.item() for name, value in self.trainer.callback_metrics.items()}
        epochs = self.trainer.current_epoch
        if not path:
            raise UserError("no epoch was validated, so there is no best checkpoint to test: last.ckpt is all there is")
        best = read_checkpoint(path, self.config_dump["model"])
        self.model.load_state_dict(best["state_dict"])  # with `ckpt_path`, weight averaging would test the others
        tested = self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        if self.trainer.is_global_zero:
            result = summarise(self.config.fit, epochs, run.seconds, trained, best, (tested or [{}])[0])
            write_metrics(run.folder, result)
            settings = {name: self.config_dump[name] for name in ("seed_everything", "data", "model")}
            events = next(logger for logger in self.trainer.loggers if isinstance(logger, EventFile))
            events.log_final(flat(settings) | {"max_epochs": self.config.fit.trainer.max_epochs}, result)
            print_end(run.folder, result)

    def _callback(self, kind: type[Kind]) -> Kind:
        callbacks: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        return next(callback for callback in callbacks if isinstance(callback, kind))


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends it with one line and exit code 2."""
    quieten()
    with reported(), exiting_on_signals():
        try:
            ClassifierCLI(args)
        except distributed.DistStoreError as error:
            cure = "start every rank, with one MASTER_ADDR, MASTER_PORT and WORLD_SIZE"
            raise UserError(f"the processes don't come together ({one_line(error)}): {cure}") from error
        if distributed.is_initialized():
            distributed.destroy_process_group()  # whose threads would now and then abort the end of the program
