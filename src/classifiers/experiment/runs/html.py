"""How a run shows itself in a notebook."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from classifiers.experiment.terminal import shown


def run_as_html(folder: Path, metrics: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    """A table of what the run came to, and its figures."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(_cell(name, value))}</td></tr>"
        for name, value in metrics.items()
        if not isinstance(value, dict)
    )
    images = "".join(
        f"<img style='max-width:100%' alt='{escape(name)}' "
        f"src='data:image/png;base64,{b64encode(path.read_bytes()).decode()}'>"
        for name, path in figures.items()
    )
    return f"<table>{rows or '<tr><td>unfinished</td></tr>'}</table><p>{escape(str(folder))}</p>{images}"


def _cell(name: str, value: Any) -> str:
    return shown(name, value) if isinstance(value, float) and name != "seconds" else str(value)
