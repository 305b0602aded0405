"""Plain lines at the terminal, and none of the libraries' own."""

import codecs
import contextlib
import errno
import io
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import rich
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console

UNLIMITED = 10_000  # columns
WARNED: dict[str, object] = {}


def is_full_disk(error: BaseException | None) -> bool:
    """Whether it tells of a disk without room, or of a quota that is used up."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def encodable() -> Iterator[None]:
    """While this lasts, anything can be printed: file names as the bytes that they are, and as escapes any characters
    that the output's encoding lacks.
    """
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):  # but a notebook's, or none at all
        yield
        return
    before = out.errors
    codecs.register_error("bytes or escapes", _bytes_or_escapes)
    out.reconfigure(errors="bytes or escapes")
    try:
        yield
    finally:
        out.reconfigure(errors=before)


def _bytes_or_escapes(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


@rank_zero_only
def say(text: str) -> None:
    """Print a line, above a progress bar if there is one."""
    rich.get_console().print(text, markup=False, highlight=False, soft_wrap=True)


@rank_zero_only
def warn_once(text: str) -> None:
    """Print a line to stderr, the first time that it is given in this process."""
    own = object()
    if WARNED.setdefault(text, own) is own:  # in one step, as threads may warn of the same
        print(f"warning: {text}", file=sys.stderr)


def printable(text: str) -> str:
    """`text` on one line, with what a terminal would obey or not show spelt out: `\\n`, `\\x1b`, `\\u202e`, `\\xff`."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _spelt(char) for char in text)


def _spelt(char: str) -> str:
    byte = ord(char) - 0xDC00  # of a file name that is no text
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else char.encode("unicode_escape").decode()


def shown(metric: str, value: float) -> str:
    """The value of a metric as people read it: shares of right answers in percent."""
    return f"{value:.2%}" if metric.endswith(("acc", "accuracy", "top5")) else f"{value:.4f}"


def of_split(metrics: Mapping[str, Any], split: str) -> dict[str, Any]:
    """Those of `metrics` that are named `split/NAME` or `split_NAME`, by NAME."""
    prefixes = (f"{split}/", f"{split}_")
    return {name[len(split) + 1 :]: value for name, value in metrics.items() if name.startswith(prefixes)}


def table_console() -> Console:
    """A console for tables of plain cells, as wide as these where the output is no terminal."""
    width = None if sys.stdout.isatty() else UNLIMITED
    return Console(width=width, markup=False, emoji=False, highlight=False)


class NotebookLine:
    """One line in a notebook's output that changes in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Let it be `text`; an empty one that was never shown stays out of the output."""
        if self._handle is None and text:
            display: Any = import_module("IPython.display").display
            self._handle = display({"text/plain": text}, raw=True, display_id=True)
        elif self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)
