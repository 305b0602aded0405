"""The package has two storeys, and the rooms of each stand in an order: none needs one that needs it."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import classifiers

GROUND = "experiment"  # the storey that knows nothing of images


def imported(file: Path, root: Path) -> Iterator[tuple[str, str]]:
    """What a file imports of the package at `root`, anywhere in it: full names, and the names it gives them."""
    place = [root.name, *file.relative_to(root).parent.parts]
    for node in ast.walk(ast.parse(file.read_text())):
        found: list[tuple[str, str]] = []
        if isinstance(node, ast.Import):
            found = [(alias.name, alias.asname or alias.name) for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            above = place[: len(place) + 1 - node.level] if node.level else []
            base = [*above, *filter(None, [node.module])]
            found = [(".".join([*base, alias.name]), alias.asname or alias.name) for alias in node.names]
        yield from ((name, here) for name, here in found if f"{name}.".startswith(f"{root.name}."))


def file_of(name: str, root: Path) -> Path:
    """The file in which `name` is, whether a storey's front door shows it or not."""
    parts = name.split(".")[1:]
    for length in range(len(parts), -1, -1):
        path = root.joinpath(*parts[:length])
        if length and path.with_suffix(".py").exists():
            return path.with_suffix(".py")
        if (path / "__init__.py").exists():
            break
    door = path / "__init__.py"
    behind = {here: there for there, here in imported(door, root)} if path in (root, root / GROUND) else {}
    rest = ".".join(parts[length:])
    return file_of(behind[rest], root) if rest in behind else door


def room(file: Path, root: Path) -> str:
    """The folder of a file, or the file itself where it lies loose in its storey."""
    parts = file.relative_to(root).with_suffix("").parts
    return "/".join(parts[:2] if parts[0] == GROUND else parts[:1])


def mistakes(root: Path) -> list[str]:
    """The imports from the ground floor upward, and a circle of rooms if there is one."""
    found: list[str] = []
    needs: dict[str, set[str]] = {}
    for file in sorted(root.rglob("*.py")):
        here = room(file, root)
        for name, _ in imported(file, root):
            there = room(file_of(name, root), root)
            if here.startswith(GROUND) and not f"{name}.".startswith(f"{root.name}.{GROUND}."):
                found.append(f"{file.relative_to(root)} imports {name}")
            elif here != there and file not in (root / "__init__.py", root / GROUND / "__init__.py"):
                needs.setdefault(here, set()).add(there)  # but a front door opens every room
    try:
        TopologicalSorter({here: sorted(needs[here]) for here in sorted(needs)}).prepare()
    except CycleError as error:
        found.append(f"rooms need each other: {' < '.join(error.args[1])}")
    return found


def test_no_room_needs_one_that_needs_it() -> None:
    assert mistakes(Path(classifiers.__file__).parent) == []


UP = "experiment/runs/a.py imports house.data.images"
CIRCLE = "rooms need each other: "
HOUSE = {
    "__init__.py": "from house.net import Net",
    "net.py": "from house.data import images\nfrom house.experiment import A",
    "data/__init__.py": "",
    "data/images.py": "from house.experiment.runs.a import A",
    "experiment/__init__.py": "from house.experiment.runs.a import A",
    "experiment/files.py": "import json",
    "experiment/runs/__init__.py": "",
    "experiment/runs/a.py": "from house.experiment import files\nfrom . import b",
    "experiment/runs/b.py": "from house.experiment.runs import a",
}


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("experiment/runs/a.py", "from house.data import images", UP),
        ("experiment/runs/a.py", "import house.data.images", UP),
        ("experiment/runs/a.py", "def f():\n    from ...data import images", UP),
        ("experiment/files.py", "from house import Net", "experiment/files.py imports house.Net"),
        ("experiment/__init__.py", "from house import net", "experiment/__init__.py imports house.net"),
        ("data/images.py", "from house import net", f"{CIRCLE}data < net < data"),
        ("data/images.py", "def f():\n    import house.net", CIRCLE),
        ("data/__init__.py", "from house import Net", CIRCLE),
        ("experiment/files.py", "from .runs import b", f"{CIRCLE}experiment/runs < experiment/files < experiment/runs"),
        ("experiment/files.py", "from house.experiment import A", CIRCLE),
    ],
)
def test_a_wrong_import_is_found(file: str, line: str, found: str, tmp_path: Path) -> None:
    house = tmp_path / "house"
    for path, text in HOUSE.items():
        (house / path).parent.mkdir(parents=True, exist_ok=True)
        (house / path).write_text(text)
    assert mistakes(house) == []
    (house / file).write_text(f"{HOUSE[file]}\n{line}\n")
    (told,) = mistakes(house)
    assert told.startswith(found)
