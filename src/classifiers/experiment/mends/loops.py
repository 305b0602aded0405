"""What a training loop loses between a checkpoint and the fit that goes on from it."""

from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor


def begin_the_epoch(loops: dict[str, Any]) -> None:
    """Let a fit that goes on between two epochs begin the next one: without it, the loop takes the batches of the last
    epoch for those of the next. `loops` are those of a checkpoint.
    """
    epochs, inner = loops["fit_loop"]["epoch_progress"], "epoch_loop."
    counts = {key.removeprefix(inner): value for key, value in loops["fit_loop"].items() if key.startswith(inner)}
    batches = counts["batch_progress"]
    if batches["current"]["started"] == 0 and epochs["current"]["started"] == epochs["current"]["ready"]:
        for count in epochs["current"], epochs["total"]:
            count["started"] = count["processed"]  # a checkpoint of an earlier version, of an epoch's first batch
    if epochs["current"]["started"] != epochs["current"]["completed"]:
        return
    optimizer = counts["automatic_optimization.optim_progress"]["optimizer"]
    progress = batches, counts["scheduler_progress"], optimizer["step"], optimizer["zero_grad"]
    for count in (*(part["current"] for part in progress), counts["val_loop.batch_progress"]["total"]):
        count.update(dict.fromkeys(count, 0))
    batches.update(is_last_batch=False)
    batches["current"]["ready"] = 1
    batches["total"]["ready"] = batches["total"]["completed"] + 1


def count_steps_rightly(trainer: Trainer) -> None:
    """When the first step after a resume begins: without it loggers' steps are one ahead from there on (#19367), so is
    the number of batches by which a `val_check_interval` across epochs is counted, and `ReduceLROnPlateau` doesn't see
    the end of that epoch, which is taken to be restarting still (since #14702).
    """
    fit, epoch = trainer.fit_loop, trainer.fit_loop.epoch_loop
    fit._restarting = False
    epoch._batches_that_stepped = trainer.global_step
    epoch.batch_progress.total.ready = epoch.batch_progress.total.completed + 1
    fit.epoch_progress.current.ready = trainer.current_epoch + 1


def epoch_sums(trainer: Trainer) -> dict[str, dict[str, Tensor]]:
    """What `self.log(…, on_epoch=True)` has summed up of a training epoch so far. It is in no checkpoint, so that after
    a resume the epoch's means would be those of the batches that were left.
    """
    return {
        key: {name: result.meta.sync(getattr(result, name).clone()) for name in result.metric_state}
        for key, result in trainer.fit_loop.epoch_loop._results.items()
        if result.is_tensor and result.meta.on_epoch and result.update_called
    }


def add_epoch_sums(trainer: Trainer, sums: dict[str, dict[str, Tensor]]) -> None:
    """Add what `epoch_sums` returned to what is logged of it since a resume, and take it from `sums` then."""
    results = trainer.fit_loop.epoch_loop._results
    for key in [key for key in sums if key in results]:
        result = results[key]
        of_all = result.meta.is_sum_reduction and not trainer.is_global_zero  # is counted in the first process
        reduce = result.meta.reduce_fx if result.meta.is_max_reduction or result.meta.is_min_reduction else torch.add
        for name, value in sums.pop(key).items() if not of_all else ():
            setattr(result, name, reduce(getattr(result, name), value.to(result.value.device)))
