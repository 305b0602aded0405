"""The command line of any task: `fit`, `validate`, `test`, `predict`, and commands about runs."""

import sys
from collections.abc import Mapping, Sequence
from inspect import isabstract
from pathlib import Path
from typing import Any, ClassVar

from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.cli import ArgsType, LightningArgumentParser
from torch import distributed

from classifiers.experiment.checkpoints.describing import is_described, sketched
from classifiers.experiment.checkpoints.resume import resumed
from classifiers.experiment.command.class_change import require_classes_first
from classifiers.experiment.command.fit_cli import FitCLI
from classifiers.experiment.command.given import experiment_name, from_environment, subcommand_first, takes_variables
from classifiers.experiment.command.parser import StrictParser, strict_parsing
from classifiers.experiment.errors import UserError, reported
from classifiers.experiment.importing import import_command, importing_here
from classifiers.experiment.paths import expanded
from classifiers.experiment.quiet import quiet
from classifiers.experiment.runs.folder import RunFolder
from classifiers.experiment.terminal import encodable
from classifiers.experiment.training.stop_on_signal import exiting_on_signals


class ExperimentCLI(FitCLI):
    """Lightning's command line, with mistakes in one line. A task is a subclass that names its two classes; either, if
    it is abstract, stands for its subclasses.

    Args:
        args: the command line; None means that of the program.
        objects: a model and its data, made by hand, in place of those that options describe.
        parser_kwargs: of the argument parser; with `default_env` true, `PL_FIT__TRAINER__MAX_EPOCHS` is an option too.
        run: whether the subcommand is run; otherwise its `model`, `datamodule` and `trainer` are made alone.
        trainer_objects: arguments of the Trainer that are no plain values.
    """

    name, version = "experiment", ""  # of the program
    model_class: type[LightningModule] = LightningModule
    datamodule_class: type[LightningDataModule] = LightningDataModule
    defaults: Sequence[str] = ()  # options before all others: a class that replaces a default one takes none of these
    commands: ClassVar[dict[str, str]] = {  # and the modules whose `main` they are
        "runs": "classifiers.experiment.studies.runs_command",
        "repeat": "classifiers.experiment.studies.repeat_command",
        "sweep": "classifiers.experiment.studies.sweep_command",
    }

    def __init__(
        self,
        args: Sequence[str] | None = None,
        objects: tuple[LightningModule, LightningDataModule] | None = None,
        parser_kwargs: Mapping[str, Any] | None = None,
        run: bool = True,
        **trainer_objects: Any,
    ) -> None:
        self.given = subcommand_first(sys.argv[1:] if args is None else args, self.subcommands())
        if not run and self.given[:1] != ["fit"]:
            self.given = ["fit", *self.given]
        self.runs, self.objects, self.trainer_objects = run, objects, trainer_objects
        given_parser = {**(parser_kwargs or {})}
        self.default_env = given_parser.pop("default_env", takes_variables())
        for kind, base in ((self.model_class, LightningModule), (self.datamodule_class, LightningDataModule)):
            if not (isinstance(kind, type) and issubclass(kind, base)):
                raise UserError(f"{type(self).__name__} names {kind}, which is no {base.__name__}")
        self.asked = next((name for name in self.given[:1] if name in self.subcommands()), None)
        further = f"Further commands, each with a --help of its own: {', '.join(self.commands)}."
        quiet_trainer = {"logger": False, "enable_autolog_hparams": False, "enable_model_summary": False}
        with strict_parsing():
            super().__init__(
                self.model_class,
                self.datamodule_class,
                subclass_mode_model=isabstract(self.model_class),
                subclass_mode_data=isabstract(self.datamodule_class),
                save_config_callback=RunFolder,
                trainer_defaults={"max_epochs": 10, **quiet_trainer},
                seed_everything_default=0,
                parser_class=StrictParser,
                parser_kwargs={"prog": self.name, "version": self.version, "description": further} | given_parser,
                auto_configure_optimizers=False,
                args=self.given,
            )

    @classmethod
    def main(cls, args: Sequence[str] | None = None) -> None:
        """Run a command line; a user's mistake ends it with one line and exit code 2."""
        given = [*(sys.argv[1:] if args is None else args)]
        with reported(), encodable(), exiting_on_signals(), quiet():
            if module := cls.commands.get(next(iter(given), "")):
                with strict_parsing():
                    import_command(module).main(cls, [expanded(argument) for argument in given[1:]])
            else:
                with importing_here():
                    cls(given)
            if distributed.is_initialized():
                distributed.destroy_process_group()  # whose threads would now and then abort the end of the program

    @classmethod
    def program(cls) -> str:
        """The file that runs this command line: the script that defines it, or the `__main__.py` of its package."""
        file = Path(str(sys.modules[cls.__module__].__file__))
        return str(main if (main := file.with_name("__main__.py")).exists() else file)

    def needs_options(self, subcommand: str) -> bool:
        return self.asked in (None, subcommand)

    def add_core_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        if self.objects is None:
            super().add_core_arguments_to_parser(parser)
            return
        parser.add_lightning_class_args(self.trainer_class, "trainer")
        parser.set_defaults({f"trainer.{name}": value for name, value in self.trainer_defaults.items()})
        for name in ("model", "data"):
            parser.add_argument(f"--{name}", type=dict | None)

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        options = list(self.given)
        require_classes_first(options)
        if self.asked:
            defaults = self.defaults if self.objects is None else ()
            variables = from_environment(self.asked) if self.default_env else []
            options[1:1] = [*defaults, *variables, *resumed(options, bool(self.objects or self.trainer_objects))]
        try:
            self.config = parser.parse_args(options)
        except UnicodeDecodeError as error:
            raise UserError("a config file must be text in UTF-8") from error
        config = self.config[self.config.subcommand]
        config.experiment = experiment_name(config)
        if config.weights_only is False:
            raise UserError("--weights_only is false: a checkpoint is loaded as plain values only, never as code")
        config.weights_only = True
        if self.objects or self.trainer_objects:
            made: dict[str, Any] = dict(zip(("model", "data"), self.objects or (), strict=False))
            for name, value in made.items():
                config[name] = sketched(value)
            made |= self.trainer_objects
            config.made_by_hand = [name for name, value in made.items() if not is_described(value)]

    def run_subcommand(self, subcommand: str) -> None:
        if self.runs:
            super().run_subcommand(subcommand)

    def set_seed(self) -> None:
        try:
            super().set_seed()
        except ValueError as error:
            raise UserError(f"--seed_everything: {error}") from error
