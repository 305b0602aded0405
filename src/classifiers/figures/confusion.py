"""What a net takes for what."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from torch import Tensor

from classifiers.figures.style import short, styled

MOST_NUMBERS = 20  # classes up to which cells have room for numbers
MOST_CLASSES = 40  # up to which a matrix can be read


@styled
def confusion_matrix(counts: Tensor, scores: Mapping[str, Tensor], class_names: Sequence[str], title: str) -> Figure:
    """The images `counts` `(K, K)` of each true class (row) by predicted class; beside it each class's `scores` `(K,)`.

    A cell is shaded by its share of the row; it shows its count where classes are few.
    """
    classes, images = len(counts), counts.sum(1)
    numbered = classes <= MOST_NUMBERS
    side = max(4.2, 0.42 * classes) if numbered else 0.16 * classes + 1
    size, angle = (11, 45) if numbered else (8, 90)
    text: Any = {"ha": "center", "va": "center", "size": size}
    slanted: Any = {"rotation": angle, "rotation_mode": "anchor", "size": size}
    figure = Figure(figsize=(side + 3.8, side + 2.2))
    matrix, table = figure.subplots(1, 2, sharey=True, width_ratios=[side, 2.5])

    shares = counts / images.clamp(min=1)[:, None]
    norm = PowerNorm(0.5, 0, 1)  # so that a share of 1 % is seen
    shading = matrix.imshow(shares.numpy(), cmap="Blues", norm=norm, aspect="auto")
    figure.colorbar(
        shading,
        ax=matrix,
        location="top",
        aspect=40,
        pad=0.02,
        ticks=(0, 0.01, 0.1, 0.5, 1),
        format="{x:.0%}",
        label="share of the true class",
    )
    for true, predicted in counts.nonzero().tolist() if numbered else ():
        color = "white" if shares[true, predicted] > 0.4 else "black"
        matrix.text(predicted, true, f"{counts[true, predicted]}", color=color, **text)
    names = [short(name) for name in class_names]
    matrix.set_xticks(range(classes), names, ha="right", va="center", **slanted)
    matrix.set_yticks(range(classes), names, size=size)
    matrix.set(xlabel="predicted class", ylabel="true class")

    columns = {
        name: [f"{value:.3f}" if isinstance(value, float) else f"{value:,}" for value in values.tolist()]
        for name, values in scores.items()
    }
    for place, (name, values) in enumerate(columns.items()):
        table.text(place, 1.02, name, transform=table.get_xaxis_transform(), in_layout=False, **slanted)
        for label, value in enumerate(values):
            table.text(place, label, value, **text)
    table.set(xlim=(-0.6, len(columns) - 0.4))
    table.set_axis_off()
    figure.suptitle(title)
    return figure
