"""How a fit went."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from classifiers.experiment.runs.history import Row
from classifiers.figures.style import DARK, LIGHT, styled

PANELS = (("loss", "train/epoch_loss", "val/loss"), ("accuracy", "train/acc", "val/acc"))
TRAINING: Any = {"label": "training", "color": LIGHT, "linestyle": "--", "marker": "s"}
VALIDATION: Any = {"label": "validation", "color": DARK, "linestyle": "-", "marker": "o"}
BEST: Any = {"label": "best epoch", "color": "0.2", "linestyle": ":", "zorder": 0}
MOST_MARKERS = 30  # epochs up to which each is marked


@styled
def learning_curves(history: Sequence[Row], best: Row | None, title: str) -> Figure:
    """Loss and accuracy of training and validation over the epochs of `history`, and where the `best` row is."""
    figure = Figure(figsize=(8, 4.1))
    panels: Any = figure.subplots(1, 2)
    for axes, (name, train, val) in zip(panels, PANELS, strict=True):
        for metric, look in ((train, TRAINING), (val, VALIDATION)):
            if rows := [row for row in history if metric in row]:
                size = 5 if len(rows) <= MOST_MARKERS else 0
                axes.plot(_epochs(rows, history), [row[metric] for row in rows], markersize=size, **look)
        if best:
            axes.axvline(*_epochs([best], history), **BEST)
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="0.9")
    panels[1].yaxis.set_major_formatter(PercentFormatter(1))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle(f"{title}\n{_summary(best)}")
    return figure


def _epochs(rows: Sequence[Row], history: Sequence[Row]) -> list[float]:
    """Where the rows stand: at 2.0 those of the end of the second epoch, at 1.5 those of its middle."""
    ends = [row for row in history if "train/epoch_loss" in row]
    steps, epochs = [-1, *(row["step"] for row in ends)], [0, *(row["epoch"] + 1 for row in ends)]
    places: list[float] = np.interp([row["step"] for row in rows], steps, epochs).tolist()
    return places


def _summary(best: Row | None) -> str:
    if best is None:
        return "no epoch was validated"
    formats = {"val/loss": "validation loss {:.4f}", "val/acc": "accuracy {:.2%}"}
    reached = [text.format(best[name]) for name, text in formats.items() if name in best]
    return ", ".join([f"best epoch {best['epoch'] + 1:.0f}", *reached])
