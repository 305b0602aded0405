"""What a fit takes, measured in turns with what it is compared with."""

import statistics
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from benchmarks.measure import SCRIPTS, Bench, Row, fit, loop, python

TUTORIAL_STEPS = {"garment": 3000, "lenet_cifar10": 3000, "mlp": 600, "mlp_one_hot": 3000, "pipeline": 300}
TUTORIAL_TARGETS = {"garment": 1.0, "lenet_cifar10": 1.2, "mlp": 2.0, "mlp_one_hot": 1.2, "pipeline": 2.0}
OVERHEAD_STEPS = {"tutorials/garment": 3000, "tutorials/mlp": 1000, "fashion_mnist": 300, "cifar10": 150}


def tutorials(bench: Bench) -> Iterator[Row]:
    """Training steps of each tutorial: under `fit` with everything on, and as its reader writes the loop."""
    ratios = []
    for recipe, steps in TUTORIAL_STEPS.items():
        sides = {
            f"{recipe}, fit": partial(fit, *bench.options(f"tutorials/{recipe}"), steps=steps),
            f"{recipe}, plain loop": partial(loop, "plain", recipe, str(bench.root), steps=steps),
        }
        ours, theirs = bench.in_turns(sides, lambda timing: 1e3 * timing.seconds_a_step).values()
        ratios.append(theirs / ours)
        yield Row("tutorials", recipe, f"{ours:.2f} ms", f"{theirs:.2f} ms", ratios[-1], TUTORIAL_TARGETS[recipe])
    yield Row("tutorials", "geometric mean", "", "", statistics.geometric_mean(ratios), at_least=1.5)


def overhead(bench: Bench) -> Iterator[Row]:
    """A step of `fit` with everything on, of a bare loop over the same parts, and of `Trainer(barebones=True)`."""
    for config, steps in OVERHEAD_STEPS.items():
        sides = {
            f"{config}, fit": partial(fit, *bench.options(config), steps=steps),
            f"{config}, bare loop": partial(loop, "bare", *bench.options(config), steps=steps),
            f"{config}, barebones": partial(loop, "barebones", *bench.options(config), steps=steps),
        }
        _, beside_bare, beside_barebones = sides
        ours, bare, barebones = bench.in_turns(sides, lambda timing: 1e3 * timing.seconds_a_step).values()
        ratio, difference = (1.1, None) if bare >= 20 else (None, 0.4)
        yield Row("overhead", beside_bare, f"{ours:.2f} ms", f"{bare:.2f} ms", ours / bare, at_most=ratio)
        measured = f"{ours:.2f} ms", f"{barebones:.2f} ms"
        yield Row("overhead", beside_barebones, *measured, ours - barebones, at_most=difference, unit=" ms")


def start_up(bench: Bench) -> Iterator[Row]:
    """How long a process takes to print the help, and to make its first training step, beside importing Lightning."""

    def first_step() -> float:
        timing = fit(*bench.options("fashion_mnist"), steps=1)
        return timing.steps[0] - timing.begun

    sides = {
        "import lightning.pytorch": partial(python, "-c", "import lightning.pytorch"),
        "fit.py --help": partial(python, str(SCRIPTS / "fit.py"), "--help"),
        "fit to its first step": first_step,
    }
    imported, helped, stepped = bench.in_turns(sides).values()
    yield Row("start-up", "fit.py --help", f"{helped:.2f} s", f"{imported:.2f} s", helped / imported, at_most=1.15)
    yield Row("start-up", "first step", f"{stepped:.2f} s", f"{imported:.2f} s", stepped / imported, at_most=1.5)


def memory(bench: Bench) -> Iterator[Row]:
    """Peak resident memory of a short `fit`, validation included, beside the plain loop and its test."""
    short = ["--trainer.max_epochs=1", "--trainer.limit_train_batches=1000"]
    for recipe in ("garment", "lenet_cifar10"):
        sides = {
            f"{recipe}, fit": partial(fit, *bench.options(f"tutorials/{recipe}"), *short),
            f"{recipe}, plain loop": partial(loop, "plain", recipe, str(bench.root), steps=1000),
        }
        ours, theirs = bench.in_turns(sides, lambda timing: timing.memory).values()
        yield Row("memory", recipe, f"{ours:.0f} MiB", f"{theirs:.0f} MiB", ours / theirs, at_most=1.2)


def growth(bench: Bench) -> Iterator[Row]:
    """Seconds an epoch of synthetic images, as their number doubles, on one process and on two."""
    words = {1: "1 process", 2: "2 processes"}
    cases = {f"{factor}× the images, {words[count]}": (factor, count) for count in words for factor in (1, 2, 4, 8)}
    sides = {name: partial(_epoch, 20_000 * factor, count) for name, (factor, count) in cases.items()}
    seconds = bench.in_turns(sides)
    for name, (factor, count) in cases.items():
        expected = seconds["1× the images, 1 process"] * factor
        linear = (0.9, 1.1) if count == 1 and factor > 1 else (None, None)
        yield Row("growth", name, f"{seconds[name]:.2f} s", f"{expected:.2f} s", seconds[name] / expected, *linear)


def _epoch(images: int, processes: int) -> float:
    """The median seconds of the epochs after the first, validation on 500 images included."""
    options = [f"--data.train_size={images + 500}", "--data.val_size=500", "--model.net=LeNet"]
    options += [f"--trainer.devices={processes}", "--trainer.max_epochs=5", "--trainer.accelerator=cpu"]
    ends = fit("--data=SyntheticDataModule", *options).curve()["seconds"]
    return statistics.median(end - start for start, end in pairwise(ends))
