"""Somebody's own logger, which notes all that it gets."""

from typing import Any, ClassVar

from lightning.pytorch.loggers import Logger


class NotingLogger(Logger):
    """Refuses settings that differ from those it has, as MLflow does, if it has some."""

    name, version = "noting", "0"
    made: ClassVar[list["NotingLogger"]] = []

    def __init__(self, kept: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.kept = kept
        self.settings: list[dict[str, Any]] = []
        self.metrics: list[tuple[int | None, dict[str, float]]] = []
        self.statuses: list[str] = []
        self.made.append(self)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        if self.kept is not None and self.kept != params:
            raise KeyError("max_epochs was another")
        self.settings.append(params)

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        self.metrics.append((step, dict(metrics)))

    def finalize(self, status: str) -> None:
        self.statuses.append(status)
