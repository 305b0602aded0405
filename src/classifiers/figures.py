"""Pictures for people."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from classifiers.data.image_dataset import class_indices


def labelled_grid(images: Tensor, labels: Tensor, class_names: Sequence[str], columns: int = 8) -> Figure:
    """The uint8 images `(N, C, H, W)` of one or three channels, each with its class name under it.

    `labels` are indices `(N,)` or one-hot or soft rows `(N, K)`.
    """
    rows = math.ceil(len(images) / columns)
    figure = Figure(figsize=(1.25 * columns, 1.5 * rows), layout="constrained")
    for place, (image, label) in enumerate(zip(images, class_indices(labels), strict=True)):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.imshow(image.movedim(0, 2).squeeze(2).cpu().numpy(), cmap="gray", vmin=0, vmax=255)
        axes.set_xlabel(class_names[int(label)], fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure
