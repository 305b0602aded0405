"""The command line: Lightning's, with the data module linked into the model and a test after every fit."""

import sys
from collections.abc import Sequence
from pathlib import Path

from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI

import classifiers.data
import classifiers.models  # noqa: F401  (short class names work for what is imported)
from classifiers.callbacks import BestCheckpoint, LastCheckpoint, RunFolder
from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.errors import USER_ERRORS, one_line


class ClassifierCLI(LightningCLI):
    """`fit`, `validate`, `test` and `predict` for any data module and any net."""

    def __init__(self, args: ArgsType = None) -> None:
        super().__init__(
            ImageClassifier,
            ImageDataModule,
            subclass_mode_data=True,
            save_config_callback=RunFolder,
            trainer_defaults={"logger": False, "enable_autolog_hparams": False},
            seed_everything_default=0,
            parser_kwargs={"allow_abbrev": False},
            auto_configure_optimizers=False,
            args=args,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--experiment", type=str | None, help="names the run's folder; the first --config's name, if none")
        parser.add_lightning_class_args(BestCheckpoint, "best_checkpoint")
        parser.add_lightning_class_args(LastCheckpoint, "last_checkpoint")
        parser.set_defaults(
            {
                "data": {"class_path": "classifiers.FashionMNISTDataModule"},
                "model.net": {"class_path": "classifiers.ConvNet"},
                "model.loss": {"class_path": "torch.nn.CrossEntropyLoss"},
            }
        )
        for name in ("class_names", "mean", "std"):
            parser.link_arguments(f"data.{name}", f"model.{name}", apply_on="instantiate")
        for name in ("in_channels", "image_size", "num_classes"):
            parser.link_arguments(f"data.{name}", f"model.net.init_args.{name}", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        self.config = parser.parse_args(args)
        config = self.config[self.config.subcommand]
        if config.experiment is None:
            config.experiment = Path(str(config.config[0])).stem if config.config else self.config.subcommand

    def after_fit(self) -> None:
        best = self.trainer.checkpoint_callback.best_model_path
        self.trainer.test(self.model, datamodule=self.datamodule, ckpt_path=best, verbose=False)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends it with one line and exit code 2."""
    try:
        ClassifierCLI(list(args) if args is not None else None)
    except USER_ERRORS as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(2)
