"""How a fit is getting on: a bar where the output is a terminal, and a line an epoch anywhere."""

import time
from datetime import timedelta
from typing import Any

import rich
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar as LightningBar
from rich.progress import BarColumn, Progress

from classifiers.experiment.terminal import say


class ProgressBar(LightningBar):
    """A bar with loss, accuracy, images a second and the time left of the fit; a line for each finished epoch.

    The bar's loss and accuracy are those of this process's images since the epoch began.

    Args:
        refresh_rate: how often the bar moves in a second, however short the steps are; Lightning's works in each step.
    """

    def __init__(self, refresh_rate: float = 5) -> None:
        super().__init__()
        self.refresh_rate = refresh_rate
        self._next = 0.0
        self._validated = False
        columns = ("{task.description}", BarColumn(20), "{task.percentage:3.0f}%", "{task.fields[text]}")
        self._progress = Progress(*columns, console=rich.get_console(), transient=True, auto_refresh=False)
        self._task = self._progress.add_task("", text="")

    def disable(self) -> None:
        """As Lightning asks of all processes but the first."""
        self.refresh_rate = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = self._epoch_start = time.monotonic()
        self._first_step, self._told = trainer.global_step, trainer.current_epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell_epoch(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._due():
            counted: Any = pl_module.train_metrics
            images, seconds = counted.images.item(), time.monotonic() - self._epoch_start
            text = f"loss {counted.loss_sum / images:.4f} acc {counted.correct / images:.2%}"
            text += f"  {images / seconds:,.0f} images/s  {self._left(trainer)}"
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
        if now < self._next or not self.refresh_rate or not self._progress.console.is_terminal:
            return False
        self._next = now + 1 / self.refresh_rate
        return True

    def _draw(self, description: str, done: int, total: float, text: str = "") -> None:
        self._progress.start()
        self._progress.update(self._task, description=description, completed=done, total=total, text=text, refresh=True)

    def _stop(self) -> None:
        if self._progress.live.is_started:  # or it would print an empty line
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
            logged = trainer.callback_metrics
            of = f"/{trainer.max_epochs}" if (trainer.max_epochs or -1) > 0 else ""
            parts = [f"epoch {trainer.current_epoch}{of}"]
            parts += [f"train loss {logged['train/epoch_loss']:.4f} acc {logged['train/acc']:.2%}"]
            if self._validated:
                parts += [f"val loss {logged['val/loss']:.4f} acc {logged['val/acc']:.2%}"]
            say("   ".join([*parts, f"{time.monotonic() - self._epoch_start:.1f} s"]))
        self._epoch_start, self._told, self._validated = time.monotonic(), trainer.current_epoch, False
