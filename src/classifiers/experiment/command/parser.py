"""The argument parser: a mistake is one line that names the option and the nearest right one; YAML keys stand once."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from numbers import Number
from typing import Any, NoReturn, TypeVar

import torch
import yaml
from jsonargparse import get_loader, set_loader, set_parsing_settings
from jsonargparse._common import parsing_settings
from jsonargparse._deprecated import JsonargparseDeprecationWarning
from jsonargparse.typing import register_type
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.loggers import Logger

from classifiers.experiment.command.class_change import forgetting
from classifiers.experiment.command.explain import explain
from classifiers.experiment.command.written_values import writable
from classifiers.experiment.errors import UserError, one_line

Made = TypeVar("Made")
SECTIONS = ("trainer", "model", "best_checkpoint", "last_checkpoint")
OBJECT = re.compile(r"^( *)\S+: \W?Unable to serialize instance.*\n(\1 +.*\n)*", re.MULTILINE)


class StrictParser(LightningArgumentParser):
    """A LightningArgumentParser whose errors are UserErrors. It works within `strict_parsing`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:
            super().error(message, ex)
        raise UserError(explain(message, self._options())) from ex

    def dump(self, *args: Any, **kwargs: Any) -> str:
        """Unlike the base class, leave out those defaults of classes that are objects which no text can stand for."""
        with warnings.catch_warnings(action="ignore"):  # which tell of these objects
            return OBJECT.sub("", super().dump(*args, **kwargs))

    def _options(self) -> Iterator[str]:
        for action in self._actions:
            yield action.dest
            if isinstance(action.choices, dict):  # the parsers of the subcommands
                for subparser in action.choices.values():
                    yield from subparser._options()


@contextmanager
def strict_parsing() -> Iterator[None]:
    """While this lasts, jsonargparse refuses YAML keys that stand twice and sections that are no maps, takes lists for
    tensors, so that a config can say `weight: [1, 2, 3]` of a loss, takes numbers for a `Number`, enforces its own list
    of denied imports, forgets the settings of a class that another replaces, and writes strings as such.
    """
    load, settings = get_loader("yaml"), dict(parsing_settings)

    def load_strictly(text: str) -> Any:
        content = load_once(text, load)
        for section in SECTIONS if isinstance(content, dict) else ():
            if isinstance(content.get(section), list | int | float):
                raise yaml.YAMLError(f"{section} must be a map of options, not {content[section]}")
        return content

    register_type(Number, _as_it_is, float, type_check=isinstance)
    register_type(torch.Tensor, torch.Tensor.tolist, _float_tensor, deserializer_exceptions=(TypeError, ValueError))
    set_loader("yaml", load_strictly, exceptions=(yaml.YAMLError,))
    set_parsing_settings(import_path_denylist=[], instantiate_subclass_spec_in_any=False)
    try:
        with warnings.catch_warnings(), forgetting(), writable():
            warnings.filterwarnings("ignore", category=JsonargparseDeprecationWarning)  # Lightning 2.6 speaks version 4
            yield
    finally:
        set_loader("yaml", load, exceptions=(yaml.YAMLError,))
        parsing_settings.update(settings)


def load_once(text: str, load: Callable[[str], Any]) -> Any:
    """What `load` makes of YAML in which each key stands once; a YAMLError if one stands twice."""
    if text.count(":") > 1:
        _refuse_duplicates(yaml.compose(text, Loader=yaml.SafeLoader))
    return load(text)


def _refuse_duplicates(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
            _refuse_duplicates(value)


def _float_tensor(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.get_default_dtype())


def _as_it_is(value: Any) -> Any:
    return value


def plain_partial(value: Any) -> Any:
    """`value`; of a partial of what makes classes for this command line, which holds all of it, that of the class; so
    in a list and among the arguments too.
    """
    if isinstance(value, list):
        return [plain_partial(item) for item in value]
    made = [part for part in value.args if isinstance(part, type)] if isinstance(value, partial) else []
    plain = {name: plain_partial(argument) for name, argument in value.keywords.items()} if made else {}
    return partial(made[0], **plain) if made else value


def make(class_type: type[Made], *args: Any, **kwargs: Any) -> Made:
    """Make what a config asks for. ValueError and RuntimeError are how torch refuses a value; a logger has errors of
    the package that it stands for, and may need one that isn't there, as other parts of Lightning do.
    """
    refusals = (ValueError, RuntimeError, *((Exception,) if issubclass(class_type, Logger) else ()))
    try:
        return class_type(*args, **kwargs)
    except ModuleNotFoundError as error:
        if not (wanted := re.search(r"pip install (?:-U )?'?([\w.-]+)", str(error))):
            raise
        cure = f"python -m pip install {wanted[1]}"
        raise UserError(f"{class_type.__name__} needs {wanted[1]}: {cure}") from error
    except refusals as error:
        raise UserError(f"{class_type.__name__} can't be made: {one_line(error)}") from error
