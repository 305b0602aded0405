"""What is special about fits of images: their classes, what the data tells the model, figures."""

from collections.abc import Iterator
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import BasePredictionWriter
from lightning.pytorch.cli import ArgsType, LightningArgumentParser

from classifiers import __version__, experiment, schedules
from classifiers.callbacks import ClassMetrics, Figures, FirstLook, TensorBoardCharts, TestTables
from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.data.chunk_stores import is_address
from classifiers.data.file_data_module import FileDataModule
from classifiers.data.image_dataset import TO_MODEL, TO_NET
from classifiers.data_of_net import leave_to_net
from classifiers.experiment import ExperimentCLI, UserError
from classifiers.experiment.paths import at_home
from classifiers.experiment.terminal import say
from classifiers.inference.predictions_csv import write_predictions


class ClassifierCLI(ExperimentCLI):
    """`fit`, `validate`, `test` and `predict` for any image data module and any net."""

    name, version = "classifiers", __version__
    model_class = ImageClassifier
    datamodule_class = ImageDataModule
    metrics = ("val/acc", "test/acc")  # the first chooses the best checkpoint
    defaults = ("--data=FashionMNISTDataModule", "--model.net=ConvNet", "--model.optimizer=AdamW",
                "--model.loss=torch.nn.CrossEntropyLoss")  # fmt: skip
    links = {f"data.{name}": f"model.{name}" for name in TO_MODEL} | {
        f"data.{name}": f"model.net.init_args.{name}" for name in TO_NET
    }
    options = (*ExperimentCLI.options, "figures")
    commands = ExperimentCLI.commands | {
        "predict-files": "classifiers.inference.predict_command",
        "export": "classifiers.inference.export_command",
        "inspect": "classifiers.data.inspect_command",
        "pack": "classifiers.data.pack_command",
    }

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        super().add_arguments_to_parser(parser)
        parser.add_argument("--figures", type=bool, default=True, help="Whether a fit draws figures into its folder")

    def add_subcommand_arguments(self, parser: LightningArgumentParser, subcommand: str) -> None:
        if subcommand == "predict":
            parser.add_argument("--predictions", type=Path | None, help="CSV file of the class probabilities")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        try:
            super().parse_arguments(parser, args)
        except UserError as error:
            raise UserError(schedules.with_cure(str(error))) from error
        given = self.config[self.config.subcommand].data
        for name in ("root", "file", "cache") if self.objects is None else ():
            path = given.init_args.get(name)
            if isinstance(path, str | Path) and not is_address(path):
                given.init_args[name] = str(at_home(path).absolute())  # a run goes on from any folder
        if self.objects is None and self.config.subcommand == "fit":
            leave_to_net(given, self.config.fit.model.net)

    def instantiate_classes(self) -> None:
        super().instantiate_classes()
        if self.subcommand != "fit" and tuple(self.model.class_names) != tuple(self.datamodule.class_names):
            path, name = self.config[self.subcommand].ckpt_path, type(self.datamodule).__name__
            raise UserError(f"{path} was trained on other classes than those of --data {name}")
        if self.subcommand != "fit" and self.model.image_shape not in (None, self.datamodule.image_shape):
            shapes = f"{self.model.image_shape}, and those of --data are {self.datamodule.image_shape}"
            raise UserError(f"{self.config[self.subcommand].ckpt_path} was trained on images {shapes}")
        files = isinstance(self.datamodule, FileDataModule)
        if self.subcommand != "fit" and files and self.model.resize != self.datamodule.resize:
            resizes = f"{self.model.resize}, give that in place of {self.datamodule.resize}"
            raise UserError(f"{self.config[self.subcommand].ckpt_path} was trained with --data.resize {resizes}")

    def callbacks(self, config: Any) -> Iterator[Callback]:
        yield from (ClassMetrics(), FirstLook())
        if self.subcommand == "fit":
            yield from (TensorBoardCharts(), TestTables())
            if config.figures and not config.trainer.fast_dev_run:
                yield Figures(f"{config.experiment}, seed {config.seed_everything}")

    def end_rows(self) -> dict[str, str]:
        return {"worst F1": worst} if (worst := self.callback(TestTables).worst) else {}

    def predict(self, **arguments: Any) -> None:
        """Unlike the base class, write the class probabilities where `--predictions` says."""
        if path := self.config.predict.predictions:
            write_predictions(path, self.trainer, self.model.class_names, **arguments)
        else:
            self.trainer.predict(**arguments)
            callbacks: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
            if not any(isinstance(callback, BasePredictionWriter) for callback in callbacks):
                say("nothing is written without --predictions FILE.csv")


fit = update_wrapper(partial(experiment.fit, cli=ClassifierCLI), experiment.fit)
open_run = update_wrapper(partial(experiment.open_run, cli=ClassifierCLI), experiment.open_run)
main = ClassifierCLI.main
