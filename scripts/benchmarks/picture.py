"""Accuracy over wall time: the tutorials' loops, and the strong recipes in the same time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

PANELS = {"Fashion-MNIST": ("garment", "fashion_mnist_strong"), "CIFAR-10": ("lenet_cifar10", "cifar10")}


def draw(curves: Mapping[str, Any], out: Path) -> None:
    """Write the picture of all seeds' curves: of the loops on test images, of the fits on validation images."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (name, (loop, fit)) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
        for recipe, colour, label in (
            (loop, "tab:gray", "tutorial's loop, test"),
            (fit, "tab:blue", "fit, validation"),
        ):
            for number, curve in enumerate(curves[recipe]):
                percent = [100 * accuracy for accuracy in curve["accuracy"]]
                axes.plot(curve["seconds"], percent, ".-", color=colour, label=None if number else label)
        ends = [(curve["seconds"][-1], 100 * curve["test"]) for curve in curves[fit]]
        axes.plot(*zip(*ends, strict=True), "*", color="tab:red", markersize=11, label="fit, test at its end")
        axes.set(title=name, xlabel="seconds of training on two CPU cores", ylabel="accuracy in %", xlim=(0, None))
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(out, dpi=110)
