"""Nested settings under the names of their options."""

from typing import Any

from classifiers.experiment.errors import UserError

NET_LINKS = ("in_channels", "image_size", "num_classes")
MODEL_LINKS = ("class_names", "mean", "std", "image_shape")


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """One map from option names, such as `model.net.widths`, to values, without those that the data module fills in."""
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key == "_instantiator" or ("model" in prefix and key in (*MODEL_LINKS, *NET_LINKS)):
            continue
        name = prefix if key in ("class_path", "init_args") else f"{prefix}.{key}" if prefix else key
        values.update(flat(value, name) if isinstance(value, dict) else {name: value})
    return values


def first_difference(there: dict[str, Any], here: dict[str, Any]) -> str | None:
    """The first name under which two maps have different values, if there is one."""
    return next((name for name in sorted(there.keys() | here.keys()) if there.get(name) != here.get(name)), None)


def require_same_model(saved: dict[str, Any], given: dict[str, Any], path: str) -> None:
    """Raise UserError, naming the first option, unless the model of the checkpoint at `path` is the given one."""
    there, here = flat(saved, "--model"), flat(given, "--model")
    if name := first_difference(there, here):
        values = f"{there.get(name)} in {path} but {here.get(name)} here"
        raise UserError(f"{name} is {values}: fit with that run's config.yaml, or use --init_weights")
