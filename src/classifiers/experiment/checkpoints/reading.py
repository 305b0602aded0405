"""Reading checkpoints: as data, never as code, and with one clear line where they don't fit."""

import re
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.core.saving import CHECKPOINT_PAST_HPARAMS_KEYS
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from classifiers.experiment.checkpoints.text_arguments import imported, without_texts
from classifiers.experiment.errors import UserError

SETTINGS = LightningModule.CHECKPOINT_HYPER_PARAMS_KEY
INSTANTIATOR, CLASS = "_instantiator", "_class_path"  # among the settings where these build the model again
LIGHTNINGS = "lightning.pytorch.cli.instantiate_module"  # the one instantiator that is heeded
PLAIN = re.compile(r"[\w/-]*")  # a setting that jsonargparse takes for neither an import path nor YAML
NO_PATH = re.compile(r"(?![^\W\d]\w*(\.[^\W\d]\w*)+$).*", re.DOTALL)
IMPORT, CONFIG = "import or define it first", "give its run's config.yaml first, with --config"  # cures
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, UnpicklingError)


def read_checkpoint(path: str | Path, given: Any = None, cure: str = IMPORT) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU, as `read_content` and `require_imported` let it pass.

    Raises:
        UserError: no such file, a damaged one, or one that holds or names more than they allow.
    """
    checkpoint = read_content(path)
    require_imported(checkpoint, path, given, cure)
    return checkpoint


def read_content(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU: plain values, of which nothing may be made before `require_imported`.

    Raises:
        UserError: no such file, a damaged one, or one that holds more.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch wonders at unusual pickles before it refuses them
            checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        texts(_naming(checkpoint))
        parts = [checkpoint.get(name, {}) for name in ("state_dict", SETTINGS)]
        named = all(isinstance(part, dict) and all(isinstance(name, str) for name in part) for part in parts)
        whole = bool(checkpoint) and named
    except FileNotFoundError as error:
        raise UserError(f"there is no checkpoint {path}") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder: name a checkpoint, such as checkpoints/best.ckpt of a run") from error
    except DAMAGE as error:
        raise UserError(f"{path} is no checkpoint, or a damaged one") from error
    if not whole:
        raise UserError(f"{path} is no checkpoint, or a damaged one")
    return checkpoint


def require_imported(checkpoint: dict[str, Any], path: str | Path, given: Any = None, cure: str = IMPORT) -> None:
    """Raise UserError unless the settings that rebuild the model name nothing but nets, losses, optimisers and
    schedules that are imported already, and what the settings `given` here name too. Those called `…_names` may be any
    text, and so may what a class takes as `str`. Nothing is imported or called.

    `cure` says how a name comes to be allowed, and may have a place `{}` for it.
    """
    settings = _naming(checkpoint)
    harmless = PLAIN if any(INSTANTIATOR in part for part in settings) else NO_PATH  # or no model is built of them
    for name in sorted(texts(settings) - texts(given) - {LIGHTNINGS}):
        named = imported(name)
        known = isinstance(named, type) and issubclass(named, nn.Module | Optimizer | LRScheduler)
        if not (known or harmless.fullmatch(name)):
            kinds = "no imported net, loss, optimizer or schedule"
            importable = name.replace("__main__.", "MODULE.")
            raise UserError(f"{path} names {name}, which is {kinds}: if you trust it, {cure.format(importable)}")


def _naming(checkpoint: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings that may name classes, also under the keys that Lightning had for them once and still heeds."""
    settings = [dict(checkpoint.get(part, {})) for part in (SETTINGS, *CHECKPOINT_PAST_HPARAMS_KEYS)]
    named = ({key: value for key, value in part.items() if not key.endswith("_names")} for part in settings)
    return [without_texts(part) for part in named]


def texts(value: Any) -> set[str]:
    """All strings in plain values."""
    if isinstance(value, str):
        return {value}
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
    return set().union(*map(texts, items))


def require_fit(checkpoint: dict[str, Any], model: nn.Module, path: str | Path) -> None:
    """Raise UserError unless the checkpoint's weights are those of `model`, name by name and shape by shape."""
    loaded, own = tensors(checkpoint.get("state_dict", {})), tensors(model.state_dict())
    for name in sorted(loaded.keys() | own.keys()):
        if name not in own or name not in loaded or loaded[name].shape != own[name].shape:
            there, here = (tuple(d[name].shape) if name in d else "absent" for d in (loaded, own))
            raise UserError(f"{path} is of another net: {name} is {there} there and {here} here")


def tensors(state: dict[str, Any]) -> dict[str, Tensor]:
    """Those of a state dict's values that are tensors."""
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}
