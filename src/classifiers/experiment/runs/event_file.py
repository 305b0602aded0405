"""TensorBoard's file of a run."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.tensorboard.summary import hparams

from classifiers.experiment.errors import UserError
from classifiers.experiment.files import writing
from classifiers.experiment.runs.summary import best_metrics

SHOWN = (bool, int, float, str)  # of settings, by TensorBoard


class EventFile(TensorBoardLogger):
    """TensorBoard's event file in `folder`: one for the fit and its test, and no `hparams.yaml` beside it.

    Args:
        folder: of the run.
        step: where the fit goes on; TensorBoard drops what earlier event files have from this step on.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        super().__init__(folder, name="", version="", default_hp_metric=False, purge_step=step)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Any]:
        """The `experiment`, to write with while this lasts; UserError says so where that fails."""
        with writing(Path(self.log_dir, "events.out.tfevents.*")):
            yield self.experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        with self.writing() as writer:
            for name, value in metrics.items():
                writer.add_scalar(name, value, step)

    @rank_zero_only
    def log_final(self, settings: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Show the run's settings and what its best checkpoint came to in the hparams tab.

        The tab's columns are left to TensorBoard, which then looks at all runs and begins with what differs: the first
        run's own list of them, as the base class writes it, would stand for all.
        """
        given = {name: value for name, value in settings.items() if value is not None}
        shown = {name: value if isinstance(value, SHOWN) else str(value) for name, value in given.items()}
        best = best_metrics(metrics)
        _, *session = hparams(shown, best)  # type: ignore[no-untyped-call]
        with self.writing() as writer:
            for summary in session:
                writer.file_writer.add_summary(summary)
        self.log_metrics(best, 0)
        self.save()

    def save(self) -> None:
        if self._experiment is not None:
            with self.writing() as writer:
                writer.flush()

    def close(self) -> None:
        if self._experiment is not None:
            with self.writing() as writer:
                writer.close()

    def finalize(self, status: str) -> None:
        """Unlike the base class, leave it open for the test after a fit."""
        if status == "failed":
            with contextlib.suppress(UserError):  # or it would hide why
                self.close()
        else:
            self.save()
