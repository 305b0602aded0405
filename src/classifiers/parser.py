"""The argument parser: a mistake is one line that names the option and the nearest right one; YAML keys stand once."""

import difflib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch
import yaml
from jsonargparse import get_loader, set_loader
from jsonargparse.typing import register_type
from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from classifiers.data import Augmentation, ImageDataModule
from classifiers.models import Net


class StrictParser(LightningArgumentParser):
    """A LightningArgumentParser whose errors are one line, exit code 2, without usage."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:
            super().error(message, ex)
        print(f"error: {explain(message, self._options())}", file=sys.stderr)
        sys.exit(2)

    def _options(self) -> Iterator[str]:
        for action in self._actions:
            yield action.dest
            if isinstance(action.choices, dict):  # the parsers of the subcommands
                for subparser in action.choices.values():
                    yield from subparser._options()


def explain(message: str, options: Iterable[str]) -> str:
    """One line for jsonargparse's `message`, which is a tree of all that it tried; `options` are the parser's own."""
    key = ".".join(dict.fromkeys(re.findall(r'Parser key "([^"]+)"', message)))
    reason = message.rpartition("Parser key ")[2]
    tried = "\n".join(line for line in reason.splitlines() if re.search(r"- |Expected", line))
    if found := re.search(r"unrecognized arguments: --([^\s=]+)", message, re.IGNORECASE):
        return f"unknown option --{found[1]}{_hint(found[1], options, prefix='--')}"
    if found := re.search(r"Option '([^']+)' is not accepted", message):
        class_path = re.search(r"class_path '([^']+)'", message)
        if class_path is None:
            return f"unknown key {found[1]}{_hint(found[1], options)}"
        return f"{key}: {class_path[1]} has no option {found[1]}{_hint(found[1], _parameters(class_path[1]))}"
    if found := re.search(r"(Group|Subcommand) '([^']+)' does not accept option '([^']+)'", message):
        name = f"{found[2]}.{found[3]}" if found[1] == "Group" else found[3]
        return f"unknown key {name}{_hint(name, options)}"
    if found := re.search(r"Multiple subclasses with name .*", message):
        return f"{key}: {found[0]}"
    if found := re.search(r"class_path '([^']+)':\s+(?:module .* has no attribute|No module named)", message):
        return f"{key}: there is no class {found[1]}{_hint(found[1].rpartition('.')[2], _class_names())}"
    if found := re.search(r"File does not exist: '(.+)'", message):
        folder, name = Path(found[1]).parent, Path(found[1]).name
        near = difflib.get_close_matches(name, [path.name for path in folder.glob("*.yaml")])
        return f"there is no file {found[1]}{': near it is ' + ', '.join(near) if near else ''}"
    if "Unexpected config" in message:
        return "a config file must be a map of sections such as data, model and trainer"
    if found := re.search(r"Expected a dot import path string: ([A-Z]\S*|\S+\.\S+)", message):
        return f"{key}: there is no class {found[1]}{_hint(found[1].rpartition('.')[2], _class_names())}"
    wanted = [name.rpartition(".")[2] for name in re.findall(r"(?:<class '|Not of type )(?!NoneType)([\w.]+)", tried)]
    wanted += re.findall(r"typing\.Literal\[(.+?)\]", tried)
    value = re.search(r"(?:Got|Given) value: (.*?)(?:\. Got value|$)", reason, re.MULTILINE)
    if wanted and value:
        return f"{key}: expected {' or '.join(dict.fromkeys(wanted))}, not {value[1]!r}"
    if "Not a valid subclass" in message and value:
        return f"{key}: expected a class_path with its init_args, not {value[1]}"
    return " ".join(message.replace('Parser key "config": ', "").split())


def _hint(name: str, known: Iterable[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f": did you mean {prefix}{near[0]}?" if near else ": see --help"


def _parameters(class_path: str) -> Iterable[str]:
    module, _, name = class_path.rpartition(".")
    return inspect.signature(getattr(sys.modules[module], name)).parameters


def _class_names() -> Iterator[str]:
    families: list[type] = [ImageDataModule, Augmentation, Net, Optimizer, LRScheduler, Callback]
    while families:
        family = families.pop()
        yield family.__name__
        families += family.__subclasses__()


def _load_strictly(text: str) -> Any:
    """Load YAML as jsonargparse does, but refuse keys that stand twice and sections that are no maps."""
    if text.count(":") > 1:
        _refuse_duplicates(yaml.compose(text, Loader=yaml.SafeLoader))
    content = _load(text)
    for section in ("trainer", "model") if isinstance(content, dict) else ():
        if isinstance(content.get(section), list | int | float):
            raise yaml.YAMLError(f"{section} must be a map of options, not {content[section]}")
    return content


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


# so that a config can say `weight: [1, 2, 3]` of a loss
register_type(torch.Tensor, torch.Tensor.tolist, _float_tensor, deserializer_exceptions=(TypeError, ValueError))
_load = get_loader("yaml")
set_loader("yaml", _load_strictly, exceptions=(yaml.YAMLError,))
