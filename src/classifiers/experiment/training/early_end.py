"""Why a fit ended before all of its epochs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping, Timer
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason


def early_end(trainer: Trainer, max_time: str | timedelta | dict[str, int] | None = None) -> str | None:
    """One line on where and why `trainer`'s fit has stopped; None if it came to the end of its epochs."""
    epochs, planned = trainer.current_epoch, trainer.max_epochs
    if planned is None or planned < 0 or epochs >= planned:
        return None
    if reasons := ", ".join(_reasons(trainer, max_time)):
        return f"stopped in epoch {epochs} of {planned}, after step {trainer.global_step}: {reasons}"
    return None


def _reasons(trainer: Trainer, max_time: Any) -> Iterator[str]:
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    for callback in callbacks:
        if isinstance(callback, EarlyStopping):
            if callback.stopping_reason is EarlyStoppingReason.PATIENCE_EXHAUSTED:
                seen = f"{callback.wait_count} validations" if callback.wait_count > 1 else "a validation"
                yield f"EarlyStopping saw no better {callback.monitor} in {seen}"
            elif callback.stopping_reason is not EarlyStoppingReason.NOT_STOPPED:
                yield f"{callback.stopping_reason_message}".removesuffix(" Signaling Trainer to stop.").rstrip(".")
    if any(isinstance(c, Timer) and (left := c.time_remaining()) is not None and left <= 0 for c in callbacks):
        yield f"max_time {max_time} is over" if max_time else "the duration of its Timer is over"
    if 0 <= trainer.max_steps <= trainer.global_step:
        yield f"max_steps {trainer.max_steps} are made"
