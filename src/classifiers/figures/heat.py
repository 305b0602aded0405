"""What speaks for the class of an image."""

from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from classifiers.experiment.terminal import printable
from classifiers.figures.style import styled


@styled
def heat_over(image: Tensor, heat: Tensor, title: str) -> Figure:
    """A uint8 image `(C, H, W)`, alone and under its `heat` `(H, W)` in [0, 1]."""
    shown = (image if len(image) == 3 else image[:1]).movedim(0, 2).squeeze(2).cpu().numpy()
    figure = Figure(figsize=(8, 4.4))
    panels: Any = figure.subplots(1, 2)
    for axes in panels:
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
    panels[1].imshow(heat.cpu().numpy(), cmap="inferno", vmin=0, vmax=1, alpha=0.2 + 0.5 * heat.cpu().numpy())
    figure.suptitle(printable(title))
    return figure
