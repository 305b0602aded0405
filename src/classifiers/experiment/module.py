"""A LightningModule whose checkpoints are data and say how to build it again."""

import inspect
from typing import Any, Self

from lightning.pytorch import Callback

from classifiers.experiment.checkpoints.describing import Described, path_of
from classifiers.experiment.checkpoints.reading import CLASS, INSTANTIATOR, LIGHTNINGS, read_checkpoint
from classifiers.experiment.command.rebuild import rebuild
from classifiers.experiment.mends.command_line import built_from_config
from classifiers.experiment.mends.steps import QuickHooks
from classifiers.experiment.training.learning_rate import LearningRate


class ExperimentModule(Described, QuickHooks):
    """What it adds to a LightningModule is safety and speed; any other one can be fitted too."""

    def save_hyperparameters(self, *args: Any, **kwargs: Any) -> None:
        """As any module's, but of plain values only: an object is described by how it was made, or else left out.

        The checkpoint rebuilds the module if nothing is left out that has no default.
        """
        frame = inspect.currentframe()
        if args or built_from_config():
            super().save_hyperparameters(*args, **{"frame": frame and frame.f_back, **kwargs})
            return
        plain = {**self.arguments, CLASS: path_of(type(self))}
        parameters = inspect.signature(type(self)).parameters
        if all(parameters[name].default is not inspect.Parameter.empty for name in self.undescribed):
            plain[INSTANTIATOR] = LIGHTNINGS
        super().save_hyperparameters(plain, frame=frame)

    def configure_callbacks(self) -> list[Callback]:
        """For a Trainer that doesn't log the rate; one that does looks at the schedule before it opens a run folder."""
        own: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        return [] if any(isinstance(callback, LearningRate) for callback in own) else [LearningRate()]

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, *args: Any, **kwargs: Any) -> Self:
        """As any module's, but of plain values only, whose classes are imported already; further arguments are those
        of the module that its checkpoint doesn't describe.

        Raises:
            UserError: the checkpoint can't be read, or names what isn't imported, or the module can't be built.
        """
        given = {name: value for name, value in kwargs.items() if name in inspect.signature(cls).parameters}
        return rebuild(cls, read_checkpoint(checkpoint_path), checkpoint_path, **given)
