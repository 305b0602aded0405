"""How long a process takes to print the help, and to make its first training step, beside importing Lightning."""

from collections.abc import Iterator

from benchmarks.measure import CONFIGS, SCRIPTS, Bench, Row, fit, python


def startup(bench: Bench) -> Iterator[Row]:
    def first_step() -> float:
        timing = fit(f"--config={CONFIGS}/fashion_mnist.yaml", f"--data.root={bench.root}", steps=1)
        return timing.steps[0] - timing.begun

    seconds = bench.in_turns(
        {
            "import lightning.pytorch": lambda: python("-c", "import lightning.pytorch"),
            "fit.py --help": lambda: python(str(SCRIPTS / "fit.py"), "--help"),
            "fit to its first step": first_step,
        }
    )
    imported, helped, stepped = seconds.values()
    yield Row("start-up", "fit.py --help", f"{helped:.2f} s", f"{imported:.2f} s", helped / imported, at_most=1.15)
    yield Row("start-up", "first step", f"{stepped:.2f} s", f"{imported:.2f} s", stepped / imported, at_most=1.5)
