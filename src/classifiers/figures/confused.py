"""What a net of many classes takes for what."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from torch import Tensor

from classifiers.answers import worst
from classifiers.figures.style import DARK, LIGHT, short, styled

MOST = 25  # bars
Bar = tuple[str, float, str]  # its name, its length, and the text at its end


@styled
def confused_pairs(
    pairs: Tensor, counts: Tensor, scores: Mapping[str, Tensor], class_names: Sequence[str], title: str
) -> Figure:
    """The first of the `pairs` `(P, 2)` of a true class and another, each with how many of its images were taken for
    that, `counts` `(P,)` of them; beside them the classes of the least `F1` among their `scores` `(K,)`.
    """
    names = [short(name, 20) for name in class_names]
    figure = Figure(figsize=(11, 8))
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    images, f1 = scores["images"], scores["F1"]
    confused: list[Bar] = []
    low: list[Bar] = []
    for (true, other), count in zip(pairs[:MOST].tolist(), counts[:MOST].tolist(), strict=True):
        confused.append((f"{names[true]} → {names[other]}", count / int(images[true]), f"{count:,}"))
    for label in worst(scores)[:MOST].tolist():
        low.append((f"{names[label]} ({images[label]:,})", float(f1[label]), f"{f1[label]:.3f}"))
    _bars(left, confused, LIGHT)
    left.set(xlabel="share of the true class's images", title="true class → predicted class, and images")
    left.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    left.xaxis.set_major_locator(MaxNLocator(5))
    _bars(right, low, DARK)
    right.set(xlabel="F1 score", title="the worst classes", xlim=(0, 1))
    figure.suptitle(title)
    return figure


def _bars(axes: Axes, bars: Sequence[Bar], color: str) -> None:
    """Draw `bars` from the top down."""
    drawn = axes.barh(range(len(bars)), [length for _, length, _ in bars], color=color)
    axes.bar_label(drawn, [text for *_, text in bars], padding=4, fontsize=9)
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars], size=9)
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
