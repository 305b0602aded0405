"""A LightningCLI whose inner steps can be overridden, and what it notes of a model that it builds."""

from typing import Any, TypeVar

from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, _InstantiatorFn
from lightning.pytorch.core.mixins.hparams_mixin import _given_hyperparameters

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


class OpenCLI(LightningCLI):
    """LightningCLI with six of its inner steps as hooks to override. It reads a checkpoint's settings over those that
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

    def _run_subcommand(self, subcommand: str) -> None:
        self.run_subcommand(subcommand)

    def run_subcommand(self, subcommand: str) -> None:
        """Run it, and what is to be done before and after."""
        super()._run_subcommand(subcommand)

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

    def leave_out_own_callbacks(self) -> None:
        """Make no callback of the options that stand for one."""
        self._parser(self.subcommand).callback_keys = []

    def needs_options(self, subcommand: str) -> bool:
        """Whether its options may be asked for."""
        return True

    def add_subcommand_arguments(self, parser: LightningArgumentParser, subcommand: str) -> None:
        """Add options that other subcommands don't have."""
