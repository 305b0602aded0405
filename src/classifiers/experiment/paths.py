"""Where `data/` and `runs/` stand by default, and what `~` stands for."""

import os
from pathlib import Path


def project_root() -> Path:
    """The folder of the project this package stands in (an editable install or a checkout), else the current folder."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() else Path.cwd()


def at_home(path: str | Path) -> Path:
    """The path with the folder that a `~` at its beginning stands for."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path's own fails where there is no such user


def expanded(argument: str) -> str:
    """An argument `--option=~/x` as shells make it of `--option ~/x`."""
    option, _, value = argument.partition("=")
    return f"{option}={at_home(value)}" if option.startswith("--") and value.startswith("~") else argument
