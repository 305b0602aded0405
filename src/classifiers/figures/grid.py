"""Images side by side, each over what there is to say of it."""

import math
from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure
from torch import Tensor

from classifiers.figures.mistakes import Mistake
from classifiers.figures.style import short, styled
from classifiers.metrics import class_indices


@styled
def labelled_grid(images: Tensor, labels: Tensor, class_names: Sequence[str], columns: int = 8) -> Figure:
    """The uint8 images `(N, C, H, W)`, each with its class name under it, or with those of its two greatest shares.

    `labels` are indices `(N,)` or one-hot or soft rows `(N, K)`. The first channel is shown unless there are three.
    """
    if labels.ndim == 2 and ((labels > 0).sum(1) > 1).any():
        captions = [_shares(row, class_names) for row in labels]
        return _captioned(images, captions, columns, size=(1.25, 1.65), font_size=8)
    names = [class_names[int(label)] for label in class_indices(labels)]
    return _captioned(images, names, columns, size=(1.25, 1.5), font_size=9)


def _shares(row: Tensor, class_names: Sequence[str]) -> str:
    """The two classes that have the greatest shares in a row `(K,)`, a line each; of one that has all, its name."""
    best = row.topk(min(2, len(row)))
    named = zip(best.values.tolist(), best.indices.tolist(), strict=True)
    lines = [f"{short(class_names[label], 14)} {share:.0%}" for share, label in named if share > 0]
    return "\n".join(lines) if len(lines) > 1 else class_names[int(best.indices[0])]


@styled
def mistakes_grid(mistakes: Sequence[Mistake], class_names: Sequence[str], title: str) -> Figure:
    """The images of `mistakes`, each with the predicted class, its probability and the true class under it."""
    names = [short(name, 12) for name in class_names]
    captions = [f"{names[one.predicted]} {one.probability:.1%}\ntrue: {names[one.true]}" for one in mistakes]
    figure = _captioned([one.image for one in mistakes], captions, columns=5, size=(1.6, 2.05), font_size=11)
    figure.suptitle(title)
    return figure


def _captioned(
    images: Iterable[Tensor], captions: Sequence[str], columns: int, size: tuple[float, float], font_size: int
) -> Figure:
    """A grid of images `(C, H, W)`, each of `size` inches, its caption included."""
    width, height = size
    side = 0.9 * width
    rows = max(1, math.ceil(len(captions) / columns))
    figure = Figure(figsize=(width * columns, height * rows))
    axes = figure.add_subplot()  # one for all images: each further one would take milliseconds
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = width * (place % columns), height * (place // columns)
        shown = (image if len(image) == 3 else image[:1]).movedim(0, 2).squeeze(2).cpu().numpy()
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=(left, left + side, top + side, top))
        baseline = top + side + 1.2 * font_size / 72 * len(caption.splitlines())  # of its last line
        axes.text(left + side / 2, baseline, caption, ha="center", fontsize=font_size)
    axes.set(xlim=(0, width * columns - width + side), ylim=(height * rows, 0))
    axes.set_axis_off()
    return figure
