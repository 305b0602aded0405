"""The tutorials' plain loops to their published epochs, and the strong recipes in no more time."""

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from benchmarks.measure import CONFIGS, Bench, Row, fit, loop
from classifiers.experiment.training.speed import bf16_is_fast

CASES = {"Fashion-MNIST": ("garment", "fashion_mnist_strong", 0.945), "CIFAR-10": ("lenet_cifar10", "cifar10", 0.90)}
USED = 0.96  # of the loop's time, so that a slower minute still ends within it


def equal_time(bench: Bench) -> Iterator[Row]:
    for recipe, config, target in CASES.values():
        options = bench.options(config)
        if bf16_is_fast(torch.device("cpu")):
            options.append(f"--config={CONFIGS}/trainer/bf16.yaml")
        bench.tell(f"{config}, the length of its epochs")
        first, second = fit(*options, "--trainer.max_epochs=2").curve()["seconds"]
        theirs, ours = [], []
        for seed in range(3):
            bench.tell(f"{recipe}, plain loop, seed {seed}")
            theirs.append(loop("plain", recipe, str(bench.root), str(seed)).curve())
            epochs = 1 + int((USED * theirs[-1]["seconds"][-1] - first) / (second - first))
            bench.tell(f"{config}, {epochs} epochs, seed {seed}")
            ours.append(fit(*options, f"--trainer.max_epochs={epochs}", f"--seed_everything={seed}").curve())
        bench.curves.update({recipe: theirs, config: ours})
        reached, published = [curve["test"] for curve in ours], [curve["accuracy"][-1] for curve in theirs]
        measured = _spread(reached, ours), _spread(published, theirs)
        yield Row("equal time", f"{config}, {recipe}", *measured, statistics.mean(reached), target, unit="")


def _spread(accuracies: list[float], curves: list[dict[str, Any]]) -> str:
    seconds = statistics.mean(curve["seconds"][-1] for curve in curves)
    return f"{statistics.mean(accuracies):.2%} ± {statistics.stdev(accuracies):.2%} in {seconds:.0f} s"


def draw(curves: Mapping[str, Any], out: Path) -> None:
    """Write the picture of all seeds' curves: of the loops on test images, of the fits on validation images."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (name, (recipe, config, _)) in zip(figure.subplots(1, 2), CASES.items(), strict=True):
        for side, colour, label in ((recipe, "gray", "tutorial's loop, test"), (config, "blue", "fit, validation")):
            for number, curve in enumerate(curves[side]):
                percent = [100 * accuracy for accuracy in curve["accuracy"]]
                axes.plot(curve["seconds"], percent, ".-", color=f"tab:{colour}", label=None if number else label)
        ends = [(curve["seconds"][-1], 100 * curve["test"]) for curve in curves[config]]
        axes.plot(*zip(*ends, strict=True), "*", color="tab:red", markersize=11, label="fit, test at its end")
        axes.set(title=name, xlabel="seconds of training on two CPU cores", ylabel="accuracy in %", xlim=(0, None))
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(out, dpi=110)
