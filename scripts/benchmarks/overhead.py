"""A step of `fit` with everything on, of a bare loop over the same parts, and of `Trainer(barebones=True)`."""

from collections.abc import Iterator

from benchmarks.measure import CONFIGS, Bench, Row, fit, loop

STEPS = {"tutorials/garment": 3000, "tutorials/mlp": 1000, "fashion_mnist": 300, "cifar10": 150}


def overhead(bench: Bench) -> Iterator[Row]:
    for config, steps in STEPS.items():
        yield from _rows(bench, config, steps)


def _rows(bench: Bench, config: str, steps: int) -> Iterator[Row]:
    options = [f"--config={CONFIGS}/{config}.yaml", f"--data.root={bench.root}"]
    step = bench.in_turns(
        {
            f"{config}, fit": lambda: fit(*options, steps=steps).seconds_a_step,
            f"{config}, bare loop": lambda: loop("bare", *options, steps=steps).seconds_a_step,
            f"{config}, barebones": lambda: loop("barebones", *options, steps=steps).seconds_a_step,
        }
    )
    ours, bare, barebones = (seconds * 1e3 for seconds in step.values())
    long = bare >= 20
    case, measured = f"{config}, bare loop", (f"{ours:.2f} ms", f"{bare:.2f} ms")
    yield Row("overhead", case, *measured, ours / bare, at_most=1.1 if long else None)
    case, measured = f"{config}, barebones", (f"{ours:.2f} ms", f"{barebones:.2f} ms")
    yield Row("overhead", case, *measured, ours - barebones, at_most=None if long else 0.4, unit=" ms")
