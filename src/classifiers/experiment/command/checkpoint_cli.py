"""A command line on which a checkpoint alone makes the model."""

from collections.abc import Sequence
from typing import Any

from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningCLI, _InstantiatorFn

from classifiers.classifier import ImageClassifier
from classifiers.experiment.checkpoints.reading import SETTINGS, read_checkpoint, rebuild, require_fit
from classifiers.experiment.checkpoints.resume import require_unfinished
from classifiers.experiment.errors import UserError
from classifiers.experiment.settings import require_same_model

RESUMED = {"pytorch-lightning_version", "loops", "optimizer_states", "lr_schedulers"}  # without these no fit goes on


class CheckpointCLI(LightningCLI):
    """Unlike the base class, reads `--ckpt_path` as data, and lets no fit go on from the checkpoint of another model.

    `validate`, `test` and `predict` build the model that it describes; those written without the command line describe
    none, then the options do.
    """

    given: Sequence[str]  # the command line

    def _parse_ckpt_path(self) -> None:
        self.checkpoint: dict[str, Any] = {}
        subcommand = self.config.subcommand
        path = self.config[subcommand].ckpt_path
        if not path:
            if subcommand == "fit":
                return
            raise UserError(f"{subcommand} needs a trained model: give its checkpoint with --ckpt_path")
        self._dump_config()
        self.checkpoint = read_checkpoint(path, self.config_dump["model"])
        if subcommand == "fit":
            if not self.checkpoint.keys() >= RESUMED:
                raise UserError(f"{path} holds no training to go on with: start from its weights by --init_weights")
            require_unfinished(self.config.fit, self.checkpoint)
            if self._rebuilds_model():
                require_same_model(self.checkpoint[SETTINGS], self.config_dump["model"], path)
        elif self._rebuilds_model() and (options := [text for text in self.given if text.startswith("--model")]):
            raise UserError(f"{options[0]}: {subcommand} takes the model from {path}, leave this out")

    def _rebuilds_model(self) -> bool:
        """Whether the checkpoint was built by the command line, and so says how to build its model again."""
        return "net" in self.checkpoint.get(SETTINGS, {})

    def _add_instantiators(self) -> None:
        """Unlike the base class, let `validate`, `test` and `predict` take the model from the checkpoint alone."""
        if self.subcommand == "fit" or not self._rebuilds_model():
            self.parser.add_instantiator(self._build_model, ImageClassifier, subclasses=False)
            return
        config = self.config[self.subcommand]
        config.model.net = {"class_path": "torch.nn.Identity"}  # not built: the checkpoint's net is

        def load(*args: Any, **kwargs: Any) -> ImageClassifier:
            return rebuild(ImageClassifier, self.checkpoint, config.ckpt_path)

        self.parser.add_instantiator(load, ImageClassifier, subclasses=False)

    def _build_model(self, *args: Any, applied_instantiation_links: dict[str, Any], **kwargs: Any) -> ImageClassifier:
        """Unlike the base class, note among the model's settings only those linked values that its net takes."""
        taken = ArgumentParser().add_class_arguments(type(kwargs["net"]), fail_untyped=False)
        links = {
            target: value
            for target, value in applied_instantiation_links.items()
            if not target.startswith("model.net.") or target.rpartition(".")[2] in taken
        }
        model: ImageClassifier = _InstantiatorFn(self, "model")(*args, applied_instantiation_links=links, **kwargs)
        return model

    def instantiate_classes(self) -> None:
        super().instantiate_classes()
        if not self.checkpoint:
            return
        config = self.config[self.subcommand]
        require_fit(self.checkpoint, self.model, config.ckpt_path)
        if self.subcommand == "fit":
            return
        if not self._rebuilds_model():
            self.model.load_state_dict(self.checkpoint["state_dict"])
        self.config_init[self.subcommand].ckpt_path = None  # its weights are loaded
        if tuple(self.model.class_names) != tuple(self.datamodule.class_names):
            name = type(self.datamodule).__name__
            raise UserError(f"{config.ckpt_path} was trained on other classes than those of --data {name}")
