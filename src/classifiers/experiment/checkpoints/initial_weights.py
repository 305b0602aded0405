"""Weights to start a fit from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from classifiers.experiment.checkpoints.reading import CONFIG, SETTINGS, read_checkpoint, tensors
from classifiers.experiment.checkpoints.same_data import class_difference
from classifiers.experiment.errors import UserError
from classifiers.experiment.terminal import say


class InitialWeights(Callback):
    """Copies what fits of the weights at `path` into the module's `net`, or else into the module, before training, over
    what other callbacks made of it.

    Raises:
        UserError: there is no checkpoint at `path`, or nothing of it fits.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit":
            init_weights(getattr(pl_module, "net", pl_module), self.path, getattr(pl_module, "class_names", ()))


def init_weights(net: nn.Module, path: str | Path, class_names: Sequence[str] = ()) -> None:
    """Copy the weights at `path` into those parts of `net` that have the same name and shape, and say which, and if
    they are of a net of other classes than `class_names`.

    `path` is a checkpoint of this project, or a plain state dict.

    Raises:
        UserError: nothing fits.
    """
    content = read_checkpoint(path, cure=CONFIG)
    weights: dict[str, Any] = content.get("state_dict", content)
    prefix = "net." if "state_dict" in content else ""
    named = {name.removeprefix(prefix): value for name, value in tensors(weights).items()}
    own = net.state_dict()
    fitting = {name: value for name, value in named.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise UserError(f"--init_weights: nothing in {path} fits {type(net).__name__}")
    net.load_state_dict(fitting, strict=False)
    left_out = sorted(named.keys() - fitting.keys())
    fresh = sorted(own.keys() - fitting.keys())
    say(f"Loaded {len(fitting)} of {len(own)} tensors from {path}")
    theirs = content.get(SETTINGS, {}).get("class_names") or ()
    if theirs and class_names and (found := class_difference(theirs, class_names)):
        say(f"  beware: it was trained on other classes: {found}")
    if left_out:
        say(f"  not loaded from it: {', '.join(left_out)}")
    if fresh:
        say(f"  newly initialised: {', '.join(fresh)}")
