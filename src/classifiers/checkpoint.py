"""Reading checkpoints: as data, never as code, and with one clear line where they don't fit."""

import pickle
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from classifiers.classifier import ImageClassifier
from classifiers.errors import UserError, one_line
from classifiers.explain import explain
from classifiers.terminal import say

PLAIN = re.compile(r"[\w/-]*")  # a setting that jsonargparse takes for neither an import path nor YAML


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU.

    Raises:
        UserError: no such file, a damaged one, or one that holds more than weights and plain values.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch wonders at unusual pickles before it refuses them
            checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"there is no checkpoint {path}") from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise UserError(f"{path} is no checkpoint, or a damaged one") from error
    if not isinstance(checkpoint, dict):
        raise UserError(f"{path} is no checkpoint: it holds a {type(checkpoint).__name__}")
    settings = checkpoint.get(LightningModule.CHECKPOINT_HYPER_PARAMS_KEY, {})
    if not isinstance(settings, dict):
        raise UserError(f"{path} is no checkpoint: its settings are a {type(settings).__name__}")
    for key, text in _texts(settings) if "net" in settings else ():  # or no model is built of them
        module, _, name = text.rpartition(".")
        imported = module in sys.modules and getattr(sys.modules[module], name, None)
        if not (isinstance(imported, type) if "class_path" in key else imported or PLAIN.fullmatch(text)):
            raise UserError(f"{path} names {text}, which nobody imported: if you trust it, name it as an option")
    return checkpoint


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All strings of nested settings but the class names, each with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name != "class_names":
                yield from _texts(item, str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item, key)


def rebuild_model(path: str | Path) -> ImageClassifier:
    """The model of a checkpoint that the command line wrote, with its weights, on the CPU.

    Raises:
        UserError: the checkpoint can't be read, or doesn't say how to build its model, or not rightly.
    """
    if "net" not in read_checkpoint(path).get(LightningModule.CHECKPOINT_HYPER_PARAMS_KEY, {}):
        cure = "in Python, ImageClassifier.load_from_checkpoint(path, net=net) loads it"
        raise UserError(f"{path} doesn't hold its net, as the command line didn't write it: {cure}")
    try:
        return ImageClassifier.load_from_checkpoint(path, map_location="cpu", weights_only=True)
    except Exception as error:  # settings of a stranger may go wrong in any way
        raise UserError(f"the model of {path} can't be built: {explain(one_line(error), ())}") from error


def require_fit(checkpoint: dict[str, Any], model: nn.Module, path: str | Path) -> None:
    """Raise UserError unless the checkpoint's weights are those of `model`, name by name and shape by shape."""
    loaded, own = checkpoint.get("state_dict", {}), model.state_dict()
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
    named = {name.removeprefix(prefix): value for name, value in weights.items() if isinstance(value, Tensor)}
    own = net.state_dict()
    fitting = {name: value for name, value in named.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise UserError(f"--init_weights: nothing in {path} fits {type(net).__name__}")
    net.load_state_dict(fitting, strict=False)
    left_out = sorted(named.keys() - fitting.keys())
    fresh = sorted(own.keys() - fitting.keys())
    say(f"Loaded {len(fitting)} of {len(own)} tensors from {path}")
    if left_out:
        say(f"  not loaded from it: {', '.join(left_out)}")
    if fresh:
        say(f"  newly initialised: {', '.join(fresh)}")
