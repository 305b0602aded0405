"""A learning rate and a batch size that are searched for before the fit, which then is as if they had been given."""

from typing import Any

from jsonargparse import dict_to_namespace
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from torchmetrics import Metric

from classifiers.experiment.checkpoints.exact_resume import count_on, counts
from classifiers.experiment.mends.callbacks import batch_size_name
from classifiers.experiment.terminal import say

FINDERS = (LearningRateFinder, BatchSizeFinder)


class Searches(Callback):
    """Lets Lightning's finders search while there are no other callbacks, which would take the search for a fit that
    goes on; then makes the optimisers and schedules anew, and writes what was found in the place of the finders into
    the config. A fit that goes on doesn't search.

    Args:
        config: of the subcommand.
    """

    def __init__(self, config: Any) -> None:
        self.config = config

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        finders = [callback for callback in callbacks if type(callback) in FINDERS]
        for finder in finders:
            callbacks.remove(finder)  # from the list that Lightning is going through, behind this one
        if not finders or trainer.ckpt_path:
            return
        before, epochs = dict(pl_module.hparams), trainer.fit_loop.max_epochs
        counted = {part: counts(part) for part in pl_module.modules() if isinstance(part, Metric)}
        trainer.callbacks = []  # type: ignore[attr-defined]
        for finder in finders:
            trainer.fit_loop.max_epochs, trainer.strategy.lr_scheduler_configs = -1, []  # a search may take longer
            finder.on_fit_start(trainer, pl_module)
            trainer.fit_loop.max_epochs = epochs
            trainer.strategy.setup_optimizers(trainer)  # whose schedules depend on what is found
            self._note(finder)
        trainer.callbacks, trainer.ckpt_path = callbacks, None  # type: ignore[attr-defined]  # of the search
        for metric, count in counted.items():
            count_on(metric, count)
        settings = _arguments(self.config.model)
        for name, value in pl_module.hparams.items():
            if name in settings and value is not before.get(name):
                settings[name] = value if isinstance(settings, dict) else dict_to_namespace({name: value})[name]
        if kept := self.config.trainer.callbacks:
            names = [kind.__name__ for kind in FINDERS]
            kept = [callback for callback in kept if callback.class_path.rpartition(".")[2] not in names]
            self.config.trainer.callbacks = kept or None

    def _note(self, finder: Callback) -> None:
        if isinstance(finder, LearningRateFinder):
            rate = finder.optimal_lr and finder.optimal_lr.suggestion()
            option = "--model.optimizer.lr" if "optimizer" in _arguments(self.config.model) else "--model.lr"
            say(f"LearningRateFinder: {'none is found' if rate is None else f'{option} {rate:.3g}'}")
        elif isinstance(finder, BatchSizeFinder):
            name, settings = batch_size_name(finder), _arguments(self.config.data)
            if name in settings:
                settings[name] = finder.optimal_batch_size
            option = f"--data.{name}" if name in settings else name
            say(f"BatchSizeFinder: {option} {finder.optimal_batch_size}")


def _arguments(section: Any) -> Any:
    """Those of the class that a section of the config describes."""
    return section.get("init_args", section)
