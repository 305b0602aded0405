"""What a training loop loses between a checkpoint and the fit that goes on from it."""

import torch
from lightning.pytorch import Trainer
from torch import Tensor


def count_steps_rightly(trainer: Trainer) -> None:
    """In the first step after a resume: without it loggers' steps are one ahead from there on (#19367), and
    `ReduceLROnPlateau` doesn't see the end of that epoch, which is taken to be restarting still (since #14702).
    """
    trainer.fit_loop._restarting = False
    trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step


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
