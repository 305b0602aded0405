"""Training steps of each tutorial: under `fit` with everything on, and as its reader writes the loop."""

import math
from collections.abc import Iterator

from benchmarks.measure import CONFIGS, Bench, Row, fit, loop

STEPS = {"garment": 3000, "lenet_cifar10": 3000, "mlp": 600, "mlp_one_hot": 3000, "pipeline": 300}
TARGETS = {"garment": 1.0, "lenet_cifar10": 1.2, "mlp": 2.0, "mlp_one_hot": 1.2, "pipeline": 2.0}


def tutorials(bench: Bench) -> Iterator[Row]:
    rows = []
    for recipe in STEPS:
        rows.append(_row(bench, recipe, STEPS[recipe]))
        yield rows[-1]
    mean = math.prod(row.value for row in rows) ** (1 / len(rows))
    yield Row("tutorials", "geometric mean", "", "", mean, at_least=1.5)


def _row(bench: Bench, recipe: str, steps: int) -> Row:
    options = [f"--config={CONFIGS}/tutorials/{recipe}.yaml", f"--data.root={bench.root}"]
    step = bench.in_turns(
        {
            f"{recipe}, fit": lambda: fit(*options, steps=steps).seconds_a_step,
            f"{recipe}, plain loop": lambda: loop("plain", recipe, str(bench.root), steps=steps).seconds_a_step,
        }
    )
    ours, theirs = step.values()
    return Row("tutorials", recipe, f"{ours * 1e3:.2f} ms", f"{theirs * 1e3:.2f} ms", theirs / ours, TARGETS[recipe])
