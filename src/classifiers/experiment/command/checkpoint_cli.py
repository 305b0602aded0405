"""A command line on which a checkpoint alone makes the model."""

from collections.abc import Mapping, Sequence
from typing import Any

from jsonargparse import ArgumentParser
from lightning.pytorch import LightningDataModule, LightningModule

from classifiers.experiment.checkpoints.reading import CONFIG, INSTANTIATOR, SETTINGS, read_checkpoint, require_fit
from classifiers.experiment.checkpoints.resume import require_unfinished
from classifiers.experiment.checkpoints.weights_to_come import weights_to_come
from classifiers.experiment.command.parser import make, plain_partial
from classifiers.experiment.command.rebuild import rebuild
from classifiers.experiment.errors import UserError
from classifiers.experiment.mends.command_line import OpenCLI, instantiate
from classifiers.experiment.settings import require_same_model

RESUMED = {"pytorch-lightning_version", "loops", "optimizer_states", "lr_schedulers"}  # without these no fit goes on


class CheckpointCLI(OpenCLI):
    """Unlike the base class, reads `--ckpt_path` as data, and lets no fit go on from the checkpoint of another model.

    `validate`, `test` and `predict` build the model that it describes; if it describes none, the options do.
    """

    model_class: type[LightningModule]
    given: Sequence[str]  # the command line
    objects: tuple[LightningModule, LightningDataModule] | None  # made by hand, in place of those that options describe
    trainer_objects: dict[str, Any]  # arguments of the Trainer that are no plain values
    links: Mapping[str, str] = {}  # from attributes of the data module to arguments of the model

    def read_ckpt_path(self) -> None:
        self.checkpoint: dict[str, Any] = {}
        subcommand = self.config.subcommand
        path = self.config[subcommand].ckpt_path
        if not path:
            if subcommand == "fit":
                return
            raise UserError(f"{subcommand} needs a trained model: give its checkpoint with --ckpt_path")
        given = self.plain_config().get("model", {})
        self.checkpoint = read_checkpoint(path, given, CONFIG)
        if subcommand == "fit":
            if not self.checkpoint.keys() >= RESUMED:
                raise UserError(f"{path} holds no training to go on with: start from its weights by --init_weights")
            require_unfinished(self.config.fit, self.checkpoint)
            if self.objects is None and self._rebuilds_model():
                require_same_model(self.checkpoint[SETTINGS], given, self.linked(), path)
        elif self._rebuilds_model() and (options := [text for text in self.given if text.startswith("--model")]):
            raise UserError(f"{options[0]}: {subcommand} takes the model from {path}, leave this out")

    def linked(self) -> set[str]:
        """The names of the options that the data module fills in."""
        return {target.replace(".init_args", "") for target in self.links.values()}

    def _rebuilds_model(self) -> bool:
        """Whether the checkpoint says how to build its model again."""
        return INSTANTIATOR in self.checkpoint.get(SETTINGS, {})

    def add_instantiators(self) -> None:
        """Unlike the base class, let `validate`, `test` and `predict` take the model from the checkpoint alone."""
        config = self.config[self.subcommand]

        def load(*args: Any, **kwargs: Any) -> LightningModule:
            return rebuild(self.model_class, self.checkpoint, config.ckpt_path)

        from_checkpoint = self.subcommand != "fit" and self._rebuilds_model()
        for target in self.links.values() if from_checkpoint else ():
            _, argument, *nested = target.split(".")
            if nested:
                config.model[argument] = {"class_path": "torch.nn.Identity"}  # not built: the checkpoint's is
        self.parser.add_instantiator(load if from_checkpoint else self._build_model, self._model_class)
        self.parser.add_instantiator(make, object)

    def _build_model(
        self, kind: Any, *args: Any, applied_instantiation_links: dict[str, Any], **kwargs: Any
    ) -> LightningModule:
        """Note among the model's settings only those linked values that what they are for takes."""

        def is_taken(target: str) -> bool:
            _, argument, *nested = target.split(".")
            parser = ArgumentParser()
            return not nested or nested[-1] in parser.add_class_arguments(type(kwargs[argument]), fail_untyped=False)

        links = {target: value for target, value in applied_instantiation_links.items() if is_taken(target)}
        plain = {name: plain_partial(value) for name, value in kwargs.items()}
        model: LightningModule = instantiate(self, kind, links, *args, **plain)
        return model

    def instantiate_classes(self) -> None:
        with weights_to_come(bool(self.checkpoint)):
            super().instantiate_classes()
        if self.objects:
            self.model, self.datamodule = self.objects
        if not self.checkpoint:
            return
        config = self.config[self.subcommand]
        require_fit(self.checkpoint, self.model, config.ckpt_path)
        if self.subcommand != "fit":
            self.model.load_state_dict(self.checkpoint["state_dict"])
            self.config_init[self.subcommand].ckpt_path = None  # its weights are loaded
