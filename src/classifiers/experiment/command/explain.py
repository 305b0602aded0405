"""What a person is told where an option is refused: one line instead of a tree of all that jsonargparse tried."""

import difflib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# in the tree: lines that say nothing by themselves, and those that say which type was tried
FRAME = re.compile(
    r"Parser key .*:$|Problem with given|Subtypes: |Given value|Subclass types expect|a (class path|dict) |"
    r"Expected a <class 'NoneType'>"
)
TYPE = re.compile(r"Expected a <class '([\w.]+)|Expected a typing.Literal\[(.+)\]|Not of type ([\w.]+)")
SUBCLASS = re.compile(r".* a (valid )?subclass of |.* a function that returns |.* is abstract|.*add_function_arguments")
CLASS_PATH = r"class_path'?[ :=]+'(.+?)'"


def explain(message: str, options: Iterable[str]) -> str:
    """The line for jsonargparse's `message`, with the nearest right name; `options` are all that the parser has."""
    if found := re.search(r"unrecognized arguments: --([^\s=]+)", message, re.IGNORECASE):
        return f"unknown option --{found[1]}{_hint(found[1], options, prefix='--')}"
    if found := re.search(r"(Group|Subcommand) '([^']+)' does not accept option '([^']+)'", message):
        name = f"{found[2]}.{found[3]}" if found[1] == "Group" else found[3]
        return f"unknown key {name}{_hint(name, options)}"
    if found := re.search(r"File does not exist: '(.+)'", message):
        return missing_file(Path(found[1]))
    if "Unexpected config" in message:
        return "a config file must be a map of sections such as data, model and trainer"
    if found := re.search(r"""Parser key "(.+)":\nUnable to load config '(.+)'""", message):
        return f"{found[1]}: expected a map of options or a file of one, not {found[2]!r}"
    if 'Parser key "' in message:
        return _reason(*_deepest(message))
    return " ".join(message.replace('"<unicode string>"', "the config").split())


def trainer_option(config: Any, message: str) -> str:
    """The option that Lightning's `message` about the trainer's `config` is about; it never names the accelerator."""
    if named := re.search(rf"\b({'|'.join(config.keys())})\b", message):
        return f"--trainer.{named[0]} {config[named[0]]}"
    if config.accelerator in ("auto", "cpu"):
        return "--trainer"
    return f"--trainer.accelerator {config.accelerator} (auto works anywhere)"


def missing_file(path: Path) -> str:
    """The line for a config that is not there, with those of its folder whose names are near."""
    near = difflib.get_close_matches(path.name, [other.name for other in path.parent.glob("*.yaml")])
    return f"there is no file {path}{': near it is ' + ', '.join(near) if near else ''}"


def _deepest(message: str) -> tuple[str, str, str]:
    """That leaf of the tree `message` which is the furthest along, for there the right class was tried.

    Returns the key of its value, its text, and all lines that belong to it: up to the root, then below.
    """
    message = re.sub(r"Does not validate.*\n\s*(Subtypes: .*)\n\s*Errors:", r"\1", message)
    message = re.sub(r"\n\s*- Expected a path but .*|Type .* callable class: |typing\.Callable\[\[.*?\], ", "", message)
    lines = [(len(indent), text) for indent, text in re.findall(r"^([ -]*)(.*)", message, re.MULTILINE)]
    leaves = [number for number, (_, text) in enumerate(lines) if not FRAME.match(text)]
    leaf = max(leaves or [0], key=lambda number: (lines[number][0], not TYPE.match(lines[number][1])))
    depth, refusal = lines[leaf]
    path = [refusal]
    for indent, text in reversed(lines[:leaf]):
        if indent < depth:
            path, depth = [*path, text], indent
    keys = re.findall(r'Parser key "(.+?)"', "\n".join(reversed(path)))
    return ".".join(keys), refusal, "\n".join([*path, *(text for _, text in lines[leaf:])])


def _reason(key: str, refusal: str, lines: str) -> str:
    class_path = _first(CLASS_PATH, lines)
    value = _first(r"(?m)G(?:ot|iven) value: (.*?)(?:\. Got value|$)", lines)
    families = _classes(_first(r"Subtypes: (.*)", lines))
    if "Option 'class_path' is not accepted" in refusal or "no attribute 'keys'" in refusal:
        return f"{key}: expected a class_path, and the options of the class as a map in init_args"
    if found := re.search(r"Option '(.+)' is not accepted", refusal):
        return f"{key}: {class_path} has no option {found[1]}{_hint(found[1], _parameters(class_path))}"
    if found := re.search(r"arguments are required: (.+?)(\. Got value|$)", refusal):
        return f"{key}: {class_path} needs {found[1]}"
    if found := re.search(r"Importing '(.+?)' is not allowed, denied by the '(.+?)'", refusal):
        return f"{key}: {found[1]} is not allowed here, as nothing of {found[2]} is"
    if found := re.search(r"a dot import path string: (.+)|module .* has no attribute|No module named '(.+)'", refusal):
        name = found[1] or class_path or value
        if found[2] and not name.startswith(found[2]):
            return f"{key}: {name} needs the module {found[2]}, which is not installed"
        return f"{key}: there is no class {name}{_hint(name.rpartition('.')[2], _names(families))}"
    if found := re.search(r"Dict must include a class_path.* NestedArg\(key='(.+?)'", lines):
        return f"{key}: a function takes no options, {found[1]} is one: name a class, or give the function that default"
    if found := re.search(r"NestedArg\(key='(.+?)'", value):
        return f"{key}.{found[1]}: {key} names no class that could have it: name the class first"
    if SUBCLASS.match(refusal):
        kinds = " or ".join(family.__name__ for family in families)
        return f"{key}: expected a class_path to a subclass of {kinds}, not {_first(CLASS_PATH, value) or value}"
    if TYPE.match(refusal):
        tried = TYPE.findall(lines.partition("Given value")[0])
        types = dict.fromkeys("".join(names).rpartition(".")[2] for names in tried if "NoneType" not in names)
        return f"{key}: expected {' or '.join(types)}, not {value!r}"
    own = re.sub(r"""Parser key ".+": |\. Got value: Namespace.*""", "", refusal)
    plain = re.sub(r"<class '([\w.]+)'>", r"\1", own)
    return f"{key}: {plain}"


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _hint(name: str, known: Iterable[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f": did you mean {prefix}{near[0]}?" if near else ": see --help"


def _parameters(class_path: str) -> Iterable[str]:
    module, _, name = class_path.rpartition(".")
    return inspect.signature(getattr(sys.modules[module], name)).parameters


def _classes(types: str) -> list[type]:
    """Those classes that the text `types` names by their paths."""
    paths = (path.rpartition(".") for path in re.findall(r"[\w.]+\.[A-Z]\w*", types))
    found = (getattr(sys.modules.get(module), name, None) for module, _, name in paths)
    return list(dict.fromkeys(kind for kind in found if isinstance(kind, type) and kind is not Iterable))


def _names(families: list[type]) -> Iterator[str]:
    """The names of the classes and of all their subclasses."""
    families = [*families]
    while families:
        family = families.pop()
        yield family.__name__
        families += family.__subclasses__()
