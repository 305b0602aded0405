"""Peak resident memory of a short `fit`, validation included, beside the plain loop and its test."""

from collections.abc import Iterator

from benchmarks.measure import CONFIGS, Bench, Row, fit, loop

STEPS = 1000


def memory(bench: Bench) -> Iterator[Row]:
    for recipe in ("garment", "lenet_cifar10"):
        yield _row(bench, recipe)


def _row(bench: Bench, recipe: str) -> Row:
    options = [f"--config={CONFIGS}/tutorials/{recipe}.yaml", f"--data.root={bench.root}"]
    short = ["--trainer.max_epochs=1", f"--trainer.limit_train_batches={STEPS}"]
    peak = bench.in_turns(
        {
            f"{recipe}, fit": lambda: fit(*options, *short).memory,
            f"{recipe}, plain loop": lambda: loop("plain", recipe, str(bench.root), steps=STEPS).memory,
        }
    )
    ours, theirs = peak.values()
    return Row("memory", recipe, f"{ours:.0f} MiB", f"{theirs:.0f} MiB", ours / theirs, at_most=1.2)
