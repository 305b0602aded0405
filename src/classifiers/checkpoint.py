"""Reading checkpoints: as data, never as code, and with one clear line where they don't fit."""

import re
import sys
import warnings
from argparse import ArgumentError
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import instantiate_module
from lightning.pytorch.core.saving import CHECKPOINT_PAST_HPARAMS_KEYS
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from classifiers.errors import UserError
from classifiers.explain import explain

SETTINGS = LightningModule.CHECKPOINT_HYPER_PARAMS_KEY
INSTANTIATOR = "lightning.pytorch.cli.instantiate_module"  # noted by Lightning in checkpoints of the command line
Model = TypeVar("Model", bound=LightningModule)


def read_checkpoint(path: str | Path, given: Any = None) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU.

    Its settings may name nets, losses, optimisers and schedules that are imported already, and whatever the settings
    `given` here name too. Nothing is imported or called.

    Raises:
        UserError: no such file, a damaged one, or one that holds or names more than that.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch wonders at unusual pickles before it refuses them
            checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        settings = {**checkpoint.get(SETTINGS, {}), "class_names": None}  # class names may read like anything
        past = [checkpoint.get(part) for part in CHECKPOINT_PAST_HPARAMS_KEYS]  # which Lightning still heeds
        names = _import_paths([settings, past]) - _import_paths(given) - {INSTANTIATOR}
    except FileNotFoundError as error:
        raise UserError(f"there is no checkpoint {path}") from error
    except (
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        UnpicklingError,
    ) as error:
        raise UserError(f"{path} is no checkpoint, or a damaged one") from error
    if not checkpoint or not isinstance(checkpoint.get("state_dict", {}), dict):
        raise UserError(f"{path} is no checkpoint, or a damaged one")
    for name in sorted(names):
        module, _, attribute = name.rpartition(".")
        named = getattr(sys.modules.get(module), "__dict__", {}).get(attribute)  # getattr alone might import
        if not (isinstance(named, type) and issubclass(named, nn.Module | Optimizer | LRScheduler)):
            kinds = "no imported net, loss, optimizer or schedule"
            raise UserError(f"{path} names {name}, which is {kinds}: if you trust it, name it as an option")
    return checkpoint


def _import_paths(value: Any) -> set[str]:
    """All strings in plain values that read like `package.module.name`."""
    if isinstance(value, str):
        return {value} if re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", value) else set()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
    return set().union(*map(_import_paths, items))


def rebuild(kind: type[Model], checkpoint: dict[str, Any], path: str | Path) -> Model:
    """The model that the settings in the checkpoint of a command line describe, without its weights.

    Raises:
        UserError: they describe none.
    """
    settings = {name: value for name, value in checkpoint[SETTINGS].items() if name != "_instantiator"}
    try:
        return instantiate_module(kind, settings)
    except ArgumentError as error:
        message = str(error).replace('"module.', '"model.')
        raise UserError(f"{path} describes no model: {explain(message, ())}") from error


def require_fit(checkpoint: dict[str, Any], model: nn.Module, path: str | Path) -> None:
    """Raise UserError unless the checkpoint's weights are those of `model`, name by name and shape by shape."""
    loaded, own = _tensors(checkpoint.get("state_dict", {})), _tensors(model.state_dict())
    for name in sorted(loaded.keys() | own.keys()):
        if name not in own or name not in loaded or loaded[name].shape != own[name].shape:
            there, here = (tuple(d[name].shape) if name in d else "absent" for d in (loaded, own))
            raise UserError(f"{path} is of another net: {name} is {there} there and {here} here")


def init_weights(net: nn.Module, path: str | Path) -> None:
    """Copy the weights at `path` into those parts of `net` that have the same name and shape, and say which.

    `path` is a checkpoint of this project, or a plain state dict.

    Raises:
        UserError: nothing fits.
    """
    content = read_checkpoint(path)
    weights: dict[str, Any] = content.get("state_dict", content)
    prefix = "net." if "state_dict" in content else ""
    named = {name.removeprefix(prefix): value for name, value in _tensors(weights).items()}
    own = net.state_dict()
    fitting = {name: value for name, value in named.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise UserError(f"--init_weights: nothing in {path} fits {type(net).__name__}")
    net.load_state_dict(fitting, strict=False)
    left_out = sorted(named.keys() - fitting.keys())
    fresh = sorted(own.keys() - fitting.keys())
    rank_zero_info(f"Loaded {len(fitting)} of {len(own)} tensors from {path}")
    if left_out:
        rank_zero_info(f"  not loaded from it: {', '.join(left_out)}")
    if fresh:
        rank_zero_info(f"  newly initialised: {', '.join(fresh)}")


def _tensors(state: dict[str, Any]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}
