"""How a fit is getting on: a bar on a terminal and in a notebook, and a line an epoch anywhere."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import rich
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar as LightningBar
from rich.progress import BarColumn, Progress

from classifiers.experiment.mends.steps import bar_metrics
from classifiers.experiment.terminal import NotebookLine, of_split, say, shown
from classifiers.experiment.training.readout import Readout


class ProgressBar(LightningBar):
    """A bar with what an epoch came to so far and the time left of the fit; a line for each finished epoch.

    The bar shows what the module's method `progress()` returns: a map from metrics to floats, and from what it counts
    to ints, of which it shows the rate a second; either may be tensors `()`, which no GPU is made to wait for. Of a
    module without it, it shows what is logged with `prog_bar=True`.

    Args:
        refresh_rate: how often the bar moves in a second, however short the steps are; Lightning's works in each step.
    """

    def __init__(self, refresh_rate: float = 5) -> None:
        super().__init__()
        self.refresh_rate = self._given_rate = refresh_rate
        self._next = 0.0
        self._validated = False
        columns = ("{task.description}", BarColumn(20), "{task.percentage:3.0f}%", "{task.fields[text]}")
        console = rich.get_console()
        self._notebook = NotebookLine() if console.is_jupyter else None
        self._progress = Progress(*columns, console=console, transient=True, auto_refresh=False)
        self._task = self._progress.add_task("", text="")
        self._read = Readout()

    def disable(self) -> None:
        """As Lightning asks of all processes but the first, and while a rate is searched for."""
        self.refresh_rate = 0

    def enable(self) -> None:
        self.refresh_rate = self._given_rate

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = self._epoch_start = time.monotonic()
        self._first_step, self._told = trainer.global_step, trainer.current_epoch
        self._of = f"/{trainer.max_epochs}" if (trainer.max_epochs or -1) > 0 else ""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell_epoch(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._due():
            progress = getattr(pl_module, "progress", None)
            found = self._read(progress() if progress else {**bar_metrics(trainer), "batches": batch_idx + 1})
            seconds = time.monotonic() - self._epoch_start
            metrics = " ".join(f"{name} {shown(name, n)}" for name, n in found.items() if isinstance(n, float))
            rates = [f"{n / seconds:,.0f} {name}/s" for name, n in found.items() if not isinstance(n, float)]
            text = "  ".join([metrics, *rates, self._left(trainer)])
            self._draw(f"epoch {trainer.current_epoch + 1}", batch_idx + 1, self.total_train_batches, text)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell_epoch(trainer)
        self._stop()

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *batch: Any) -> None:
        self._evaluated("validation", batch, trainer.num_val_batches)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validated = True

    def on_test_batch_end(self, trainer: Trainer, pl_module: LightningModule, *batch: Any) -> None:
        self._evaluated("test", batch, trainer.num_test_batches)

    def on_predict_batch_end(self, trainer: Trainer, pl_module: LightningModule, *batch: Any) -> None:
        self._evaluated("prediction", batch, trainer.num_predict_batches)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._stop()

    def _due(self) -> bool:
        now = time.monotonic()
        if now < self._next or not self.refresh_rate or not (self._notebook or self._progress.console.is_terminal):
            return False
        self._next = now + 1 / self.refresh_rate
        return True

    def _draw(self, description: str, done: int, total: float, text: str = "") -> None:
        if self._notebook:
            self._notebook.show(f"{description}  {done / total:4.0%}  {text}")
            return
        self._progress.start()
        self._progress.update(self._task, description=description, completed=done, total=total, text=text, refresh=True)

    def _stop(self) -> None:
        if self._notebook:
            self._notebook.show("")
        elif self._progress.live.is_started:  # or it would print an empty line
            self._progress.stop()

    def _evaluated(self, description: str, batch: Any, totals: list[int | float]) -> None:
        _, _, batch_idx, *_ = batch
        if self._due():
            self._draw(description, batch_idx + 1, sum(totals))

    def _left(self, trainer: Trainer) -> str:
        total, step = trainer.estimated_stepping_batches, trainer.global_step
        if step == self._first_step or total == float("inf"):
            return ""
        seconds = (time.monotonic() - self._start) * (total - step) / (step - self._first_step)
        return f"{timedelta(seconds=round(seconds))} left"

    def _tell_epoch(self, trainer: Trainer) -> None:
        if trainer.current_epoch > self._told and self.refresh_rate:
            parts = [f"epoch {trainer.current_epoch}{self._of}"]
            for split in ("train", "val") if self._validated else ("train",):
                found = _of_epoch(of_split(trainer.callback_metrics, split))
                if told := " ".join(f"{name} {shown(name, float(value))}" for name, value in found.items()):
                    parts.append(f"{split} {told}")
            say("   ".join([*parts, f"{time.monotonic() - self._epoch_start:.1f} s"]))
        self._epoch_start, self._told, self._validated = time.monotonic(), trainer.current_epoch, False


def _of_epoch(named: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an epoch in place of those of a step, by the names that they share."""
    return {
        name.removeprefix("epoch_").removesuffix("_epoch"): value
        for name, value in named.items()
        if not name.endswith("_step") and not {f"epoch_{name}", f"{name}_epoch"} & named.keys()
    }
