"""The model that a checkpoint describes."""

import inspect
import sys
from pathlib import Path
from typing import Any, TypeVar

from lightning.pytorch import LightningModule
from lightning.pytorch.cli import instantiate_module

from classifiers.experiment.checkpoints.describing import made_with
from classifiers.experiment.checkpoints.reading import CLASS, INSTANTIATOR, LIGHTNINGS, SETTINGS, require_fit
from classifiers.experiment.checkpoints.weights_to_come import weights_to_come
from classifiers.experiment.command.explain import explain
from classifiers.experiment.command.parser import strict_parsing
from classifiers.experiment.errors import UserError, one_line

Model = TypeVar("Model", bound=LightningModule)


def rebuild(kind: type[Model], checkpoint: dict[str, Any], path: str | Path, **given: Any) -> Model:
    """The model of a checkpoint, of its settings and what is `given` in their place, with its weights, on the CPU.

    Raises:
        UserError: the checkpoint doesn't say how to build its model, or not rightly.
    """
    settings = dict(checkpoint.get(SETTINGS, {}))
    rebuildable = settings.pop(INSTANTIATOR, None)
    class_path = settings.pop(CLASS, None)
    kind = _subclass(kind, class_path, path)
    if not (given or rebuildable):
        needed = ", ".join(f"{name}={name}" for name in _required(kind) if name not in settings)
        if not needed:
            cure = "load_from_checkpoint of its class loads it, and those of an ExperimentModule say it"
            raise UserError(f"{path} doesn't say how its model was made: {cure}")
        cure = f"in Python, {kind.__name__}.load_from_checkpoint(path, {needed}) loads it"
        raise UserError(f"{path} doesn't hold its {needed.partition('=')[0]}, which was made by hand: {cure}")
    try:
        if given:
            plain = {name: value for name, value in settings.items() if not isinstance(value, dict)}
            model = kind(**{**plain, **given})
        else:
            with strict_parsing(), weights_to_come():
                model = instantiate_module(kind, settings)
            made_with(model, settings)
            known = {INSTANTIATOR: LIGHTNINGS, **({CLASS: class_path} if class_path else {})}
            model.hparams.update({**settings, **known})  # or its next checkpoint would lack, say, its optimizer
    except Exception as error:  # settings of a stranger may go wrong in any way
        message = one_line(error) if isinstance(error, UserError) else str(error).replace('"module.', '"model.')
        raise UserError(f"the model of {path} can't be built: {explain(message, ())}") from error
    require_fit(checkpoint, model, path)
    model.load_state_dict(checkpoint["state_dict"])
    return model


def _subclass(kind: type[Model], class_path: str | None, path: str | Path) -> type[Model]:
    """The class at `class_path`, which is imported already; `kind` itself if there is no path."""
    module, _, name = (class_path or "").rpartition(".")
    found = getattr(sys.modules.get(module), "__dict__", {}).get(name, kind)
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise UserError(f"{path} is of a {class_path}, which is no {kind.__name__}")
    return found


def _required(kind: type) -> list[str]:
    parameters = inspect.signature(kind).parameters.items()
    further = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, given in parameters if given.default is given.empty and given.kind not in further]
