"""A classifier from a checkpoint alone, without what only its training needed."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from classifiers.classifier import ImageClassifier
from classifiers.experiment import UserError
from classifiers.experiment.checkpoints.reading import IMPORT, SETTINGS, read_content, require_imported, texts
from classifiers.experiment.command.rebuild import rebuild
from classifiers.experiment.importing import require

ONLY_TO_TRAIN = {
    "optimizer", "lr_scheduler", "lr_scheduler_interval", "lr_scheduler_monitor", "loss", "decay_norms_and_biases",
    "compile", "backbone_lr_scale", "layer_lr_decay", "metrics",
}  # fmt: skip


def load_classifier(
    path: str | Path,
    device: str = "auto",
    net: nn.Module | None = None,
    trusted: Sequence[str] = (),
    cure: str = IMPORT,
) -> ImageClassifier:
    """The model of the checkpoint at `path`, ready to predict on `device`; `auto` is an accelerator if there is one.

    Its loss, optimiser and schedule are the default ones, whatever it was trained with.

    Args:
        path: of the checkpoint.
        device: where the model is to be.
        net: needed where the checkpoint doesn't say how its own was made, being no `Net` or made of objects.
        trusted: import paths, such as `my_nets.TinyNet`, of classes that the checkpoint names. They are imported, and
            stand for those of their names in any module.
        cure: how else a class that the checkpoint names comes to be allowed.

    Raises:
        UserError: it can't be rebuilt, doesn't say what its images and classes are, or there is no such device.
    """
    checkpoint = read_content(path)
    for part in (checkpoint.get(SETTINGS, {}), checkpoint.get("state_dict", {})):
        _leave_out(part, ONLY_TO_TRAIN)
    for class_path in trusted:
        require(class_path)
    if trusted and SETTINGS in checkpoint:
        checkpoint[SETTINGS] = _renamed(checkpoint[SETTINGS], {name.rpartition(".")[2]: name for name in trusted})
    require_imported(checkpoint, path, trusted, cure)
    if unused := sorted({*trusted} - texts(checkpoint.get(SETTINGS))):
        raise UserError(f"{path} names no {unused[0].rpartition('.')[2]}: leave {unused[0]} out")
    model = rebuild(ImageClassifier, checkpoint, path, **({"net": net} if net else {}))
    if not (model.image_shape and model.class_names):
        raise UserError(f"{path} doesn't hold its image_shape and class_names, as older ones don't: fit again")
    auto = torch.accelerator.current_accelerator(check_available=True) or "cpu"
    try:
        return model.to(auto if device == "auto" else device).eval()
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"there is no device {device} here: --device auto works anywhere") from error


def _leave_out(part: dict[str, Any], names: Collection[str]) -> None:
    """Take from settings or weights those of these names, and what is within them."""
    for name in [name for name in part if name.partition(".")[0] in names]:
        del part[name]


def _renamed(value: Any, class_paths: Mapping[str, str]) -> Any:
    """Plain values in which every import path that ends in the name of a class is its one of `class_paths`."""
    if isinstance(value, str):
        module, _, name = value.rpartition(".")
        return class_paths.get(name, value) if module else value
    if isinstance(value, dict):
        named = {key: item for key, item in value.items() if not str(key).endswith("_names")}
        return {**value, **{key: _renamed(item, class_paths) for key, item in named.items()}}
    return [_renamed(item, class_paths) for item in value] if isinstance(value, list | tuple) else value
