"""Classes that a person names by their import paths."""

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from classifiers.experiment.errors import UserError, one_line


@contextlib.contextmanager
def importing_here() -> Iterator[None]:
    """While this lasts, files in the current folder can be imported too, if nothing else has their names."""
    here = str(Path.cwd())
    if here in sys.path:
        yield
        return
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)


def require(path: str) -> None:
    """Import the class at `path`; UserError if there is none."""
    module, _, name = path.rpartition(".")
    try:
        with importing_here():
            getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        cure = "give MODULE.CLASS, where MODULE.py is in this folder or installed"
        raise UserError(f"{path} can't be imported ({one_line(error)}): {cure}") from error


def import_command(module: str) -> Any:
    """The module of a command; UserError if what it needs is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise UserError("a sweep needs Optuna: python -m pip install -e '.[sweep]'") from error
