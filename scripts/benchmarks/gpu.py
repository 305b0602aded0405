"""What a fit makes of a GPU: its steps, the times that it waits, its fixed costs, and how soon it gets how far."""

import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch

from benchmarks.measure import CONFIGS, Bench, Row, Timing, fit, loop, python
from classifiers.experiment.errors import UserError

BF16 = f"--config={CONFIGS}/trainer/bf16.yaml"
WIDE = ["--model.net.widths=[64,256,256]", "--data.batch_size=512"]
COMPILED = "--model.compile=reduce-overhead"
CASES = {  # further options, and the steps of an epoch but the last, shorter one
    "cifar10, batch 128": ([], 374),
    "cifar10, batch 1024": (["--data.batch_size=1024"], 46),
    "cifar10, batch 512, widths 64, 256, 256": (WIDE, 93),
}
STEP = {"cifar10, batch 128": 2.0}  # ms
RECIPES = {"cifar10": (0.94, 5), "cifar10_long": (0.96, 45), "fashion_mnist": (None, 10)}  # test accuracy, seconds
SEEDS = 5


def gpu(bench: Bench) -> Iterator[Row]:
    """Steps, waits and epochs."""
    _require_gpu()
    for name, (further, steps) in CASES.items():
        yield from _steps(bench, name, [*bench.options("cifar10"), BF16, *further], steps)
    yield _syncs(bench)
    yield _epochs(bench)


def gpu_recipes(bench: Bench) -> Iterator[Row]:
    """What `configs/gpu/` reaches, and in which time."""
    _require_gpu()
    for name, (accuracy, seconds) in RECIPES.items():
        yield from _recipe(bench, name, accuracy, seconds)


def _require_gpu() -> None:
    if not torch.cuda.is_available():
        raise UserError("there is no CUDA GPU here: leave gpu and gpu-recipes out of --only")


def _steps(bench: Bench, name: str, options: list[str], steps: int) -> Iterator[Row]:
    """A step of `fit` with everything on, of bare loops over its parts, and of one that is a CUDA graph."""
    sides = {
        f"{name}, fit": partial(fit, *options, steps=steps),
        f"{name}, fit, compiled": partial(fit, *options, COMPILED, steps=steps),
        f"{name}, bare loop": partial(loop, "bare", *options, steps=steps),
        f"{name}, graphed loop": partial(loop, "graphed", *options, steps=steps),
    }
    plain, ours, bare, graphed = bench.in_turns(sides, lambda timing: 1e3 * timing.seconds_a_step).values()
    yield Row("gpu", f"{name}, not compiled, bare loop", f"{plain:.2f} ms", f"{bare:.2f} ms", plain / bare)
    bound = 1.15 if graphed >= 2 else None
    yield Row("gpu", f"{name}, graphed", f"{ours:.2f} ms", f"{graphed:.2f} ms", ours / graphed, at_most=bound)
    if name in STEP:
        yield Row("gpu", f"{name}, a step", f"{ours:.2f} ms", "", ours, at_most=STEP[name], unit=" ms")


def _syncs(bench: Bench) -> Row:
    """Of 40 steps between two logs, with everything on."""
    bench.tell("waiting for the device")
    with tempfile.TemporaryDirectory() as folder:
        count = ["--trainer.callbacks+=benchmarks.syncs.Syncs", f"--trainer.callbacks.out={folder}/syncs"]
        files = f"--trainer.default_root_dir={folder}"
        python("-m", "classifiers", "fit", *bench.options("cifar10"), BF16, COMPILED, *count, files)
        found = Path(folder, "syncs").read_text().splitlines()
    return Row("gpu", "waits in 40 steps", str(len(found)), "0", len(found), at_most=0, unit="")


def _epochs(bench: Bench) -> Row:
    """An epoch of one step and one batch to validate, with both checkpoints: what every epoch costs."""
    bench.tell("an epoch with nothing in it")
    images = ["--data=SyntheticDataModule", "--data.train_size=128", "--data.val_size=64", "--data.batch_size=64"]
    ends = fit(*images, "--trainer.max_epochs=60").curve()["seconds"]
    median = 1e3 * statistics.median(end - start for start, end in pairwise(ends))
    return Row("gpu", "an epoch with nothing in it", f"{median:.1f} ms", "", median, at_most=30, unit=" ms")


def _recipe(bench: Bench, name: str, accuracy: float | None, seconds: float) -> Iterator[Row]:
    """The mean of its seeds; the time to the end of the first step, in which the net is compiled, is told apart."""
    fits: list[Timing] = []
    for seed in range(SEEDS):
        bench.tell(f"gpu/{name}, seed {seed}")
        fits.append(fit(*bench.options(f"gpu/{name}"), f"--seed_everything={seed}"))
    reached = [timing.result["test/acc"] for timing in fits]
    told = f"{statistics.mean(reached):.2%} ± {statistics.stdev(reached):.2%}, {SEEDS} seeds"
    yield Row("gpu", f"gpu/{name}", told, "", statistics.mean(reached), accuracy, unit="")
    first = [timing.steps[0] - timing.started for timing in fits]
    after = statistics.mean(timing.result["seconds"] - begun for timing, begun in zip(fits, first, strict=True))
    compiled = f"first step {statistics.mean(first):.1f} s"
    yield Row("gpu", f"gpu/{name}, seconds", f"{after:.2f} s", compiled, after, at_most=seconds, unit=" s")
