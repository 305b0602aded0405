"""Which steps log."""

from lightning.pytorch import Trainer


class LogSteps:
    """Tells every `log_every_n_steps` that a step has been made, once: an accumulated step ends several batches."""

    def __init__(self) -> None:
        self._last = 0

    def begin(self, trainer: Trainer) -> None:
        """Training goes on from the step that `trainer` has made."""
        self._last = trainer.global_step

    def now(self, trainer: Trainer) -> bool:
        """Whether a step that logs has been made since the last call."""
        step, every = trainer.global_step, trainer.log_every_n_steps  # type: ignore[attr-defined]
        due = bool(every) and step % every == 0 and step != self._last
        self._last = step if due else self._last
        return due
