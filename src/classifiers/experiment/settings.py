"""Nested settings under the names of their options."""

import sys
from collections.abc import Collection
from typing import Any

from classifiers.experiment.errors import UserError


def flat(settings: dict[str, Any], prefix: str = "", leave_out: Collection[str] = ()) -> dict[str, Any]:
    """One map from option names, such as `model.net.widths`, to values, without those to be left out."""
    values: dict[str, Any] = {}
    for key, value in settings.items():
        name = prefix if key in ("class_path", "init_args") else f"{prefix}.{key}" if prefix else key
        if key != "_instantiator" and name not in leave_out:
            values.update(flat(value, name, leave_out) if isinstance(value, dict) else {name: value})
    return values


def first_difference(there: dict[str, Any], here: dict[str, Any]) -> str | None:
    """The first name under which two maps have different values, if there is one."""
    return next((name for name in sorted(there.keys() | here.keys()) if there.get(name) != here.get(name)), None)


def _by_class(settings: dict[str, Any]) -> dict[str, Any]:
    """With one path for each class that is imported, though it may have been moved and be named where it was."""
    return {name: _path_now(value) if isinstance(value, str) else value for name, value in settings.items()}


def _path_now(path: str) -> str:
    module, _, name = path.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    return f"{found.__module__}.{found.__qualname__}" if isinstance(found, type) else path


def require_same_model(saved: dict[str, Any], given: dict[str, Any], linked: Collection[str], path: str) -> None:
    """Raise UserError, naming the first option but for the `linked`, unless the model at `path` is the given one."""
    there, here = (_by_class(flat(settings, "model", linked)) for settings in (saved, given))
    if name := first_difference(there, here):
        values = f"{there.get(name)} in {path} but {here.get(name)} here"
        raise UserError(f"--{name} is {values}: fit with that run's config.yaml, or use --init_weights")
