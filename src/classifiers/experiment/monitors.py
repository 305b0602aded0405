"""Which way a metric that is watched gets better."""

from typing import Literal

from classifiers.experiment.errors import UserError

MORE = ("acc", "accuracy", "f1", "precision", "recall", "auroc", "top5")  # is better, of metrics that end so
Mode = Literal["min", "max"]


def natural_mode(monitor: str) -> Mode | None:
    """Whether less ("min") or more ("max") of the metric is better; None if its name doesn't tell."""
    if monitor.endswith("loss"):
        return "min"
    return "max" if monitor.endswith(MORE) else None


def require_mode(option: str, monitor: str, mode: str) -> None:
    """Raise UserError if `option`, which watches a metric, takes the wrong way for the better one."""
    natural = natural_mode(monitor)
    if natural and mode in ("min", "max") and mode != natural:
        better = "less" if natural == "min" else "more"
        raise UserError(f"{option} watches {monitor} with mode {mode}, and {better} of it is better: mode {natural}")
