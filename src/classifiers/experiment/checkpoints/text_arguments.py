"""Arguments that a class takes as text, so that nothing is imported or made of them."""

import inspect
import sys
from typing import Any


def imported(path: str) -> Any:
    """What stands at an import path, if its module is imported already; else None."""
    module, _, name = path.rpartition(".")
    return getattr(sys.modules.get(module), "__dict__", {}).get(name)  # getattr alone might import


def without_texts(value: Any) -> Any:
    """Plain values without those arguments of imported classes whose type is `str` or `str | None`."""
    if isinstance(value, list | tuple):
        return [without_texts(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_texts(item) for key, item in value.items()}
    kind, arguments = imported(str(kept.get("class_path"))), kept.get("init_args")
    if isinstance(kind, type) and isinstance(arguments, dict):
        parameters = inspect.signature(kind).parameters
        texts = {name for name, taken in parameters.items() if taken.annotation in (str, str | None)}
        kept["init_args"] = {name: item for name, item in arguments.items() if name not in texts}
    return kept
