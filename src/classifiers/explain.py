"""What a person is told where jsonargparse refuses an option: one line instead of a tree of all that it tried."""

import difflib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lightning.pytorch import Callback
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from classifiers.data import Augmentation, ImageDataModule
from classifiers.models import Net


def explain(message: str, options: Iterable[str]) -> str:
    """The line for jsonargparse's `message`, with the nearest right name; `options` are all that the parser has."""
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
        return missing_file(Path(found[1]))
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


def missing_file(path: Path) -> str:
    """The line for a config that is not there, with those of its folder whose names are near."""
    near = difflib.get_close_matches(path.name, [other.name for other in path.parent.glob("*.yaml")])
    return f"there is no file {path}{': near it is ' + ', '.join(near) if near else ''}"


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
