"""Seconds an epoch of synthetic images, as their number doubles, on one process and on two."""

import statistics
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from benchmarks.measure import Bench, Row, fit

IMAGES = 20_000
EPOCHS = 5


def growth(bench: Bench) -> Iterator[Row]:
    cases = {
        f"{factor}× the images, {processes}": (factor, count)
        for count, processes in ((1, "1 process"), (2, "2 processes"))
        for factor in (1, 2, 4, 8)
    }
    seconds = bench.in_turns({name: partial(_epoch, factor * IMAGES, count) for name, (factor, count) in cases.items()})
    first = next(iter(seconds.values()))
    for name, (factor, count) in cases.items():
        linear = (0.9, 1.1) if count == 1 and factor > 1 else (None, None)
        expected = first * factor
        yield Row("growth", name, f"{seconds[name]:.2f} s", f"{expected:.2f} s", seconds[name] / expected, *linear)


def _epoch(images: int, processes: int) -> float:
    """The median seconds of the epochs after the first, validation on 500 images included."""
    options = [f"--data.train_size={images + 500}", "--data.val_size=500", "--model.net=LeNet"]
    options += [f"--trainer.devices={processes}", f"--trainer.max_epochs={EPOCHS}", "--trainer.accelerator=cpu"]
    times = [time for time, _ in fit("--data=SyntheticDataModule", *options).epochs]
    return statistics.median(end - start for start, end in pairwise(times))
