"""What stays of a class's settings when another class takes its place: what both have from a common base.

jsonargparse keeps all that the other one has an argument of that name for, so that AdamW would train with SGD's rate.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

from jsonargparse import _typehints

from classifiers.experiment.errors import UserError


@contextmanager
def forgetting() -> Iterator[None]:
    """While this lasts, jsonargparse forgets the settings of a class for those of another, but for what they share."""
    discard: Any = _typehints.discard_init_args_on_class_path_change

    def forget(parser_or_action: Any, before: Any, after: Any) -> None:
        settings = (before or {}).get("init_args")
        if settings and before["class_path"] != after["class_path"]:
            kept = shared(before["class_path"], after["class_path"])
            for name in [name for name in settings.keys() if name.partition(".")[0] not in kept]:  # noqa: SIM118
                settings.pop(name)
        discard(parser_or_action, before, after)

    _typehints.discard_init_args_on_class_path_change = forget
    try:
        yield
    finally:
        _typehints.discard_init_args_on_class_path_change = discard


def shared(before: str, after: str) -> set[str]:
    """The arguments of the bases that two classes have in common."""
    try:
        one, other = (resolve_name(f"{path.rpartition('.')[0]}:{path.rpartition('.')[2]}") for path in (before, after))
    except (ImportError, AttributeError, ValueError):
        return set()
    if not (isinstance(one, type) and isinstance(other, type)):
        return set()
    bases = [base for base in inspect.getmro(one) if issubclass(other, base) and base is not object]
    return {name for base in bases for name in inspect.signature(base).parameters}


def require_classes_first(options: Sequence[str]) -> None:
    """Raise UserError if one of the `options` of a command line is for a class that only a later one names."""
    names = [option.partition("=")[0].removeprefix("--") for option in options if option.startswith("--")]
    for name in dict.fromkeys(name for name in names if "." in name):
        if forgotten := [other for other in names[: names.index(name)] if other.startswith(f"{name}.")]:
            raise UserError(f"--{forgotten[0]} stands before --{name}, which may forget it: name the class first")
