"""Whether a fit goes on with the data that it began with, and whether it is tested on what it was trained on."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint, checkpoints_of
from classifiers.experiment.errors import UserError
from classifiers.experiment.terminal import say

LOOKS = ("image_shape", "mean", "std", "resize")  # of images
CURE = "--changed_data true goes on in spite of it"


class SameData(Callback):
    """Keeps in checkpoints what the data is known by: its `class_names`, and what its method `known(part)` returns.

    Args:
        record: what an evaluated checkpoint holds of this.
        changed: whether a fit may go on with other data.

    Raises:
        UserError: a fit would go on with other data.
    """

    def __init__(self, record: dict[str, Any] | None = None, changed: bool = False) -> None:
        self.record, self.changed = record, changed

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.record = checkpoint.get("data")

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        now = record_of(trainer.datamodule)  # type: ignore[attr-defined]
        if self.record and now:
            found = difference(self.record, now)
            if found and not self.changed:
                raise UserError(f"the data is not what the fit began with: {found}; {CURE}")
            if found:
                say(f"the data is not what the fit began with: {found}; its best score is forgotten")
                for callback in checkpoints_of(trainer, BestCheckpoint):
                    callback.best_model_score = None
            if found or "trained" in self.record:
                now["trained"] = torch.cat([trained_on(self.record), now["train"]])
        elif now and trainer.ckpt_path and not self.changed:
            say("the checkpoint is of an earlier version, and doesn't know its images: they may be others now")
        self.record = now

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if self.record:
            checkpoint["data"] = self.record

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._look_at(trainer, "test", "to test on")

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.state.fn == "validate":
            self._look_at(trainer, "val", "to validate on")

    def _look_at(self, trainer: Trainer, part: str, what: str) -> None:
        known: Callable[[str], Tensor | None] | None = getattr(trainer.datamodule, "known", None)  # type: ignore[attr-defined]
        images = known(part) if known and self.record else None
        if images is not None and self.record and (count := int(torch.isin(images, trained_on(self.record)).sum())):
            say(f"beware: {count:,} of the {len(images):,} {what} are among those that it was trained on")


def record_of(data: Any) -> dict[str, Any] | None:
    """What a data module that is set up for a fit is known by; None if it doesn't tell."""
    known = getattr(data, "known", None)
    train, val = (known(part) for part in ("train", "val")) if known else (None, None)
    if train is None or val is None:
        return None
    names = [*map(str, getattr(data, "class_names", ()))]
    looks = {name: _plain(getattr(data, name, ())) for name in LOOKS}
    return {"class_names": names, "train": train.sort().values, "val": val.sort().values, **looks}


def trained_on(record: dict[str, Any]) -> Tensor:
    """All that was trained on, before the data was changed too."""
    images: Tensor = record.get("trained", record["train"])
    return images


def difference(then: dict[str, Any], now: dict[str, Any]) -> str | None:
    """What two records differ in."""
    if found := class_difference(then["class_names"], now["class_names"]):
        return found
    for part, what in (("train", "train"), ("val", "validate")):
        if not torch.equal(then[part], now[part]):
            new, gone = (_missing(one[part], other[part]) for one, other in ((now, then), (then, now)))
            return f"of the {len(now[part]):,} to {what} on {new:,} are new, and {gone:,} are gone"
    for name in LOOKS:
        if name in then and then[name] != now[name]:
            return f"its {name} was {then[name]} and is {now[name]}"
    return None


def class_difference(before: Sequence[str], after: Sequence[str]) -> str | None:
    """What the names of classes differ in."""
    if len(before) != len(after):
        return f"it had {len(before)} classes and has {len(after)}"
    pairs = enumerate(zip(before, after, strict=True))
    return next((f"class {number} was {old} and is {new}" for number, (old, new) in pairs if old != new), None)


def _plain(look: str | Iterable[float]) -> str | list[float]:
    return look if isinstance(look, str) else [float(value) for value in look]


def _missing(images: Tensor, others: Tensor) -> int:
    return int((~torch.isin(images, others)).sum())
