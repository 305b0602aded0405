"""What a run logs to beside the terminal and TensorBoard: a CSV file, and nothing before there is a folder for it."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from classifiers.experiment.files import append, write_whole, writing


class MetricsCSV(Logger):
    """Appends a row to `metrics.csv` at each log; a metric seen for the first time adds a column to all rows.

    Rows are only ever appended; a new column rewrites the file beside itself and renames it.

    Args:
        folder: of the run.
        step: where the fit goes on; of the rows that are there, those from this step on are dropped.
    """

    name = "csv"
    version = ""

    def __init__(self, folder: Path, step: int = 0) -> None:
        super().__init__()
        self.path = folder / "metrics.csv"
        self.columns: list[str] = []  # of the file as it stands
        self._keep_before(step)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        row = {"epoch": metrics.get("epoch"), "step": step, **metrics}
        new = [name for name in row if name not in self.columns]
        with writing(self.path):
            if new:
                rows = self._read()
                self.columns += new
                self._write(rows)
            append(self.path, self._format([row]))

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Left to `config.yaml`."""

    @rank_zero_only
    def _keep_before(self, step: int) -> None:
        if self.path.exists():
            rows = [row for row in self._read() if (row["step"] or "").isdecimal() and int(row["step"]) < step]
            self.columns = [name for name in rows[0] if any(row[name] for row in rows)] if rows else []
            with writing(self.path):
                self._write(rows)

    def _read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        with self.path.open(newline="") as file:
            return list(csv.DictReader(file))

    def _write(self, rows: list[dict[str, Any]]) -> None:
        header = dict(zip(self.columns, self.columns, strict=True))
        write_whole(self.path, self._format([header, *rows] if self.columns else []))

    def _format(self, rows: list[dict[str, Any]]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, self.columns, extrasaction="ignore").writerows(rows)
        return text.getvalue()


class ComingLoggers(Logger):
    """Stands for the loggers of a run until it has its folder: some callbacks ask in `setup` whether there are any.

    Args:
        save_dir: where callbacks that ask for it write then.
    """

    name, version = "", ""
    save_dir = ""

    def __init__(self, save_dir: str) -> None:
        super().__init__()
        self.save_dir = save_dir

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Nothing is logged before the first step."""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Left to `config.yaml`."""
