"""What a training step costs beside its own work, and what it refuses."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.profilers import PassThroughProfiler


class QuickHooks(LightningModule):
    """Notes the hook that it is in without `nn.Module`'s checks, of which a step would pay some fifty."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)


class NoProfiler(PassThroughProfiler):
    """Lightning's default profiler without its price: a new context manager in each of some sixty hooks a step."""

    nothing = nullcontext()

    def profile(self, action_name: str) -> AbstractContextManager[None]:  # type: ignore[override]
        return self.nothing


class ClipFused(Callback):
    """Lets gradients of a fused optimiser be clipped under mixed precision: without it, Lightning refuses that, in bf16
    too, which scales none. They are unscaled before the step then, as any other optimiser's.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for optimizer in trainer.optimizers if trainer.gradient_clip_val else ():
            optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]


def read_nothing_between_logs(trainer: Trainer) -> None:
    """Without it, a GPU waits in each step for a number of each `prog_bar` value (#21232), and for what processes tell
    each other of SIGTERM (#21487), as `StopOnSignal` lets them do now and then.
    """
    connector, loop = trainer._logger_connector, trainer.fit_loop.epoch_loop
    connector.on_batch_end = partial(_on_batch_end, trainer, connector.on_batch_end)  # type: ignore[method-assign]
    loop._broadcast_sigterm_tensor = nullcontext  # type: ignore[assignment, method-assign]


def _on_batch_end(trainer: Trainer, update: Callable[[], None]) -> None:
    due = trainer._logger_connector.should_update_logs or trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
    if due or not trainer.training or trainer._results is None:
        update()
    else:
        trainer._results.batch = trainer._results.batch_size = None


def bar_metrics(trainer: Trainer) -> dict[str, Any]:
    """What is logged with `prog_bar=True`: on an accelerator as of the last log, or it would have to wait."""
    at_once = trainer.strategy.root_device.type == "cpu"
    return trainer.progress_bar_metrics if at_once else trainer._logger_connector._progress_bar_metrics
