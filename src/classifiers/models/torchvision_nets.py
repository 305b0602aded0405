"""The nets of torchvision that tell classes apart, by their names there."""

from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor, nn

from classifiers.experiment.errors import UserError, one_line
from classifiers.models.weight_files import is_file, read_weights

AUXILIARY = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}  # heads that their weights have too


def names() -> list[str]:
    models = _models()
    return models.list_models(module=models)  # type: ignore[no-any-return]


def images(name: str, weights: str) -> tuple[int, list[float], list[float]]:
    """The size of the images that its weights are for, and the mean and deviation of their channels."""
    prepared = _entry(name, weights).transforms()
    return prepared.crop_size[0], prepared.mean, prepared.std


def headless(name: str, image_size: int, pretrained: bool) -> tuple[nn.Module, int, tuple[str, ...]]:
    """The net without its head, how many features it makes, and how the names of weights begin that it hasn't."""
    options: dict[str, Any] = {"image_size": image_size} if name.startswith("vit_") else {}
    if name in AUXILIARY:
        options = {"aux_logits": False, "init_weights": True, "transform_input": pretrained}
    net: nn.Module = _models().get_model(name, weights=None, **options)
    kinds = (nn.Linear, nn.Conv2d)  # SqueezeNet's head is a convolution, whose place before the mean a linear one takes
    path, head = [(path, part) for path, part in net.named_modules() if isinstance(part, kinds)][-1]
    net.set_submodule(path, nn.Identity())
    features = head.in_features if isinstance(head, nn.Linear) else head.in_channels
    return net, features, (f"{path}.", *AUXILIARY.get(name, ()))


def read(net: nn.Module, name: str, weights: str, image_size: int) -> dict[str, Tensor]:
    """The weights in a file, or those of that name, from torch's cache if they are there.

    Raises:
        UserError: they are not, and can't be downloaded.
    """
    state = read_weights(weights if is_file(weights) else _downloaded(name, weights))
    if name.startswith("vit_") and "encoder.pos_embedding" in state:
        interpolated: dict[str, Tensor] = _models().vision_transformer.interpolate_embeddings(
            image_size, net.patch_size, state
        )
        return interpolated
    return state


def _downloaded(name: str, weights: str) -> str:
    """The path of the file in torch's cache, once one of several processes has brought it there."""
    url = _entry(name, weights).url
    path = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    if path.exists():
        return str(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.parent / ".lock"):
            _entry(name, weights).get_state_dict(check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:  # the latter of a wrong hash
        cure = f"put {url} into {path.parent}, or name a file with --model.net.weights"
        raise UserError(f"no weights of {name} ({one_line(error)}): {cure}") from error
    return str(path)


def _entry(name: str, weights: str) -> Any:
    known = _models().get_model_weights(name).__members__
    if is_file(weights):
        return known["DEFAULT"]
    if weights not in known:
        raise UserError(f"--model.net.weights is {weights}: of {name} there are {', '.join(known)}")
    return known[weights]


def _models() -> Any:
    from torchvision import models  # which takes a second or two

    return models
