"""What all figures look like: eight inches wide, so that a README shows them at their size or at half of it."""

from typing import Any

from matplotlib import rc_context

from classifiers.experiment.terminal import printable

STYLE: Any = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.titlesize": 12,
    "figure.titlesize": 13,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "text.parse_math": False,  # class names may hold dollar signs
}
DARK, LIGHT = "#0b4f8a", "#e69f00"  # apart in greyscale and for any colour vision

styled = rc_context(STYLE)


def short(name: str, length: int = 16) -> str:
    """`name` as it can be drawn, cut where it is longer than `length`."""
    name = printable(name)
    return name if len(name) <= length else f"{name[: length - 1]}…"
