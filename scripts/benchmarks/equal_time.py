"""The tutorials' plain loops to their published epochs, and the strong recipes in no more time."""

import statistics
from collections.abc import Iterator

import torch

from benchmarks.measure import CONFIGS, Bench, Row, Timing, fit, loop
from classifiers.experiment.training.speed import bf16_is_fast

SEEDS = range(3)
USED = 0.96  # of the loop's time, so that a slower minute still ends within it


def equal_time(bench: Bench) -> Iterator[Row]:
    yield _row(bench, "garment", "fashion_mnist_strong", at_least=0.945)
    yield _row(bench, "lenet_cifar10", "cifar10", at_least=0.90)


def _row(bench: Bench, recipe: str, config: str, at_least: float) -> Row:
    options = [f"--config={CONFIGS}/{config}.yaml", f"--data.root={bench.root}"]
    if bf16_is_fast(torch.device("cpu")):
        options += [f"--config={CONFIGS}/trainer/bf16.yaml"]
    bench.tell(f"{config}, the length of its epochs")
    first, second = fit(*options, "--trainer.max_epochs=2").seconds
    theirs, ours = [], []
    for seed in SEEDS:
        bench.tell(f"{recipe}, plain loop, seed {seed}")
        theirs.append(loop("plain", recipe, str(bench.root), str(seed)))
        epochs = 1 + int((USED * theirs[-1].seconds[-1] - first) / (second - first))
        bench.tell(f"{config}, {epochs} epochs, seed {seed}")
        ours.append(fit(*options, f"--trainer.max_epochs={epochs}", f"--seed_everything={seed}"))
    bench.curves[recipe] = [timing.curve() for timing in theirs]
    bench.curves[config] = [timing.curve() for timing in ours]
    reached = [timing.result["test/acc"] for timing in ours]
    published = [accuracy for timing in theirs for accuracy in timing.accuracies[-1:]]
    measured = (_spread(reached, ours), _spread(published, theirs))
    return Row("equal time", f"{config}, {recipe}", *measured, statistics.mean(reached), at_least, unit="")


def _spread(accuracies: list[float], timings: list[Timing]) -> str:
    seconds = statistics.mean(timing.seconds[-1] for timing in timings)
    return f"{statistics.mean(accuracies):.2%} ± {statistics.stdev(accuracies):.2%} in {seconds:.0f} s"
