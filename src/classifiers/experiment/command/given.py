"""What a command line is given: its arguments, a config of several subcommands before them, and the environment."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from classifiers.experiment.command.explain import missing_file
from classifiers.experiment.command.parser import load_once
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.paths import expanded

PREFIX = "PL"  # of Lightning's environment variables


def subcommand_first(arguments: Sequence[str], subcommands: Collection[str]) -> list[str]:
    """`--config FILE SUBCOMMAND …`, as Lightning takes it, as `SUBCOMMAND --config SECTION …`, where SECTION is that of
    the subcommand in the file, as text; all else as it is.

    Raises:
        UserError: the file can't be read, or has no such section.
    """
    given = [expanded(argument) for argument in arguments]
    if given[:1] and given[0].partition("=")[0] in ("-c", "--config"):
        _, equals, value = given[0].partition("=")
        path, rest = (value, given[1:]) if equals else ("".join(given[1:2]), given[2:])
        if rest and rest[0] in subcommands:
            section = yaml.safe_dump(_section(Path(path), rest[0]), default_flow_style=True, width=10**9)
            return [rest[0], f"--experiment={Path(path).stem}", f"--config={section}", *rest[1:]]
    return given


def takes_variables() -> bool:
    """Whether the environment says to jsonargparse's own parsers that they take options from it."""
    return os.environ.get("JSONARGPARSE_DEFAULT_ENV", "").lower() == "true"


def from_environment(subcommand: str) -> list[str]:
    """Options for the variables `PL_SUBCOMMAND__NAME` of the environment, in which `__` stands for a dot."""
    start = f"{PREFIX}_{subcommand.upper()}__"
    found = {name.removeprefix(start): value for name, value in sorted(os.environ.items()) if name.startswith(start)}
    return [f"--{name.lower().replace('__', '.')}={value}" for name, value in found.items()]


def experiment_name(config: Any) -> str:
    """The run's `experiment`, or that of its first config; UserError if it is no folder below others."""
    first = str(config.config[0]) if config.config else "default"
    name: str = Path(first).stem if config.experiment is None else config.experiment
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise UserError(f"--experiment is {name}: it must be a folder below the root of all runs")
    return name


def _section(path: Path, name: str) -> object:
    try:
        content = load_once(path.read_text(), yaml.safe_load)
    except FileNotFoundError as error:
        raise UserError(missing_file(path)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"--config {path}: {one_line(error)}") from error
    if not isinstance(content, dict) or name not in content:
        raise UserError(f"--config {path} stands before {name}, and has no section {name}: let it follow {name}")
    return content[name]
