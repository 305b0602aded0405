"""The nets of timm, by their names there."""

from typing import Any

from torch import Tensor, nn

from classifiers.experiment.errors import UserError, one_line
from classifiers.models.weight_files import is_file, read_weights


def names() -> list[str]:
    return _timm().list_models()  # type: ignore[no-any-return]


def images(name: str, weights: str) -> tuple[int, list[float], list[float]]:
    """The size of the images that its weights are for, and the mean and deviation of their channels."""
    known = _entry(name)
    return known.input_size[-1], list(known.mean), list(known.std)


def headless(name: str, image_size: int, pretrained: bool) -> tuple[nn.Module, int, tuple[str, ...]]:
    """The net without its head, how many features it makes, and how the names of weights begin that it hasn't."""
    net, heads = _made(name, image_size), _entry(name).classifier or ()
    features = getattr(net, "head_hidden_size", net.num_features)
    return net, features, tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))


def read(net: nn.Module, name: str, weights: str, image_size: int) -> dict[str, Tensor]:
    """The weights in a file, or those of timm's hub, from its cache if they are there.

    Raises:
        UserError: they are not, and can't be downloaded; a name of some, which is a part of timm's own names.
    """
    if is_file(weights):
        return read_weights(weights)
    if weights != "DEFAULT":
        raise UserError(f"--model.net.weights is {weights}: of timm's, choose by their --model.net.name, timm/NAME.TAG")
    try:
        return _made(name, image_size, pretrained=True).state_dict()  # type: ignore[no-any-return]
    except OSError as error:
        cure = f"name a file with --model.net.weights, such as the model.safetensors of {_entry(name).hf_hub_id}"
        raise UserError(f"no weights of timm/{name} ({one_line(error)}): {cure}") from error


def _made(name: str, image_size: int, **options: Any) -> Any:
    size = {"img_size": image_size} if _entry(name).fixed_input_size else {}
    return _timm().create_model(name, num_classes=0, **size, **options)


def _entry(name: str) -> Any:
    try:
        return _timm().get_pretrained_cfg(name)
    except RuntimeError as error:  # no such tag
        known = ", ".join(_timm().list_pretrained(f"{name.partition('.')[0]}.*"))
        raise UserError(f"--model.net.name: there is no timm/{name}: there is {known}") from error


def _timm() -> Any:
    try:
        import timm
    except ModuleNotFoundError as error:
        raise UserError("--model.net.name: the nets of timm need it: python -m pip install timm") from error
    return timm
