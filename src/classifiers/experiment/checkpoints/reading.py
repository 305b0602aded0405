"""Reading checkpoints: as data, never as code, and with one clear line where they don't fit."""

import re
import sys
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

from classifiers.experiment.errors import UserError

SETTINGS = LightningModule.CHECKPOINT_HYPER_PARAMS_KEY
INSTANTIATOR, CLASS = "_instantiator", "_class_path"  # among the settings where these build the model again
LIGHTNINGS = "lightning.pytorch.cli.instantiate_module"  # the one instantiator that is heeded
PLAIN = re.compile(r"[\w/-]*")  # a setting that jsonargparse takes for neither an import path nor YAML
NO_PATH = re.compile(r"(?![^\W\d]\w*(\.[^\W\d]\w*)+$).*", re.DOTALL)
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, UnpicklingError)


def read_checkpoint(path: str | Path, given: Any = None) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU.

    The settings that rebuild its model may name nets, losses, optimisers and schedules that are imported already, and
    whatever the settings `given` here name too; only those called `…_names` may be any text. Nothing is imported or
    called.

    Raises:
        UserError: no such file, a damaged one, or one that holds or names more than that.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch wonders at unusual pickles before it refuses them
            checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        parts = (SETTINGS, *CHECKPOINT_PAST_HPARAMS_KEYS)  # Lightning still heeds the past ones
        settings = [dict(checkpoint.get(part, {})) for part in parts]
        free = [{key: value for key, value in part.items() if not key.endswith("_names")} for part in settings]
        texts = _texts(free) - _texts(given) - {LIGHTNINGS}
        whole = bool(checkpoint) and isinstance(checkpoint.get("state_dict", {}), dict)
    except FileNotFoundError as error:
        raise UserError(f"there is no checkpoint {path}") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder: name a checkpoint, such as checkpoints/best.ckpt of a run") from error
    except DAMAGE as error:
        raise UserError(f"{path} is no checkpoint, or a damaged one") from error
    if not whole:
        raise UserError(f"{path} is no checkpoint, or a damaged one")
    harmless = PLAIN if any(INSTANTIATOR in part for part in settings) else NO_PATH  # or no model is built of them
    for name in sorted(text for text in texts if not harmless.fullmatch(text)):
        module, _, attribute = name.rpartition(".")
        named = getattr(sys.modules.get(module), "__dict__", {}).get(attribute)  # getattr alone might import
        if not (isinstance(named, type) and issubclass(named, nn.Module | Optimizer | LRScheduler)):
            kinds = "no imported net, loss, optimizer or schedule"
            raise UserError(f"{path} names {name}, which is {kinds}: if you trust it, name it as an option")
    return checkpoint


def _texts(value: Any) -> set[str]:
    """All strings in plain values."""
    if isinstance(value, str):
        return {value}
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
    return set().union(*map(_texts, items))


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
