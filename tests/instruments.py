"""What makes a fit die, diverge, or tell what it uses; to be named on its command line."""

import multiprocessing
import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from torch import Tensor, nn

from classifiers.data import SyntheticDataModule
from classifiers.models import Net


def batch_size(batch: Any) -> int:
    return len(batch[0])


class DropoutNet(Net):
    def __init__(self, in_channels: int, image_size: int, num_classes: int) -> None:
        backbone = [nn.Flatten(), nn.Linear(in_channels * image_size**2, 16), nn.BatchNorm1d(16), nn.ReLU()]
        super().__init__(nn.Sequential(*backbone, nn.Dropout(0.5)), nn.Linear(16, num_classes))


class Kill(Callback):
    """Sends this process the signal `number` once, in the first `hook` after `step`; the file `once` keeps count."""

    def __init__(self, hook: str, step: int, once: str, number: int = 9) -> None:
        self.hook, self.step, self.once, self.number = hook, step, Path(once), number

    def _hook(self, name: str, trainer: Trainer) -> None:
        due = name == self.hook and trainer.global_step >= self.step and not trainer.sanity_checking
        if due and not self.once.exists():
            self.once.touch()
            os.kill(os.getpid(), self.number)


class Hooks(Callback):
    """Counts how often each hook of an epoch, a batch and their evaluation was called; checkpoints have the counts."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}

    def _hook(self, name: str, trainer: Trainer) -> None:
        if not trainer.sanity_checking:
            self.calls[name] = self.calls.get(name, 0) + 1

    def state_dict(self) -> dict[str, Any]:
        return dict(self.calls)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.calls = dict(state_dict)


class Broken(Callback):
    """Raises an error when the step `step` begins."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == self.step:
            raise RuntimeError("broken")


class Writer(BasePredictionWriter):
    """Writes how many predictions there are to the file `count`."""

    def __init__(self) -> None:
        super().__init__(write_interval="epoch")

    def write_on_epoch_end(self, trainer: Trainer, pl_module: LightningModule, predictions: Any, indices: Any) -> None:
        Path("count").write_text(str(sum(map(len, predictions))))


class KillParent(Callback):
    """Sends the process that started this one the signal `number` once, after an epoch; the file `once` keeps count."""

    def __init__(self, once: str, number: int = 9) -> None:
        self.once, self.number = Path(once), number

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self.once.exists():
            self.once.touch()
            os.kill(multiprocessing.parent_process().pid, self.number)  # type: ignore[union-attr, arg-type]


class Watch(Callback):
    """Appends the resident memory in KiB and the number of open files to the file `log` after every epoch."""

    def __init__(self, log: str) -> None:
        self.log_file = Path(log)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.strategy.checkpoint_io.wait()  # type: ignore[attr-defined]  # or a checkpoint is open now and then
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        with self.log_file.open("a") as file:
            print(pages * os.sysconf("SC_PAGE_SIZE") // 1024, len(list(Path("/proc/self/fd").iterdir())), file=file)


class Seen(Callback):
    """Appends the epoch, the number of the first image, and the rate of each training step to the file `log`; each
    image shows its number in its first two pixels, as `Numbered` draws it.
    """

    def __init__(self, log: str) -> None:
        self.log_file = Path(log)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        high, low = batch[0].flatten(1)[:, :2].long().unbind(1)
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        with self.log_file.open("a") as file:
            for number in (256 * high + low).tolist():
                print(trainer.current_epoch, number, rate, file=file)


class Numbered(SyntheticDataModule):
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        images, labels = super().load(train)
        numbers = torch.arange(len(images))
        images.view(len(images), -1)[:, :2] = torch.stack([numbers // 256, numbers % 256], 1)
        return images, labels


class Diverging(nn.Module):
    """Cross-entropy, but `value` times that after `at` calls; validation calls it too."""

    def __init__(self, at: int, value: float) -> None:
        super().__init__()
        self.calls, self.at, self.value = 0, at, value

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        self.calls += 1
        loss = nn.functional.cross_entropy(logits, targets)
        return loss * self.value if self.calls > self.at else loss


def _named(name: str) -> Any:
    return lambda self, trainer, *args, **kwargs: self._hook(name, trainer)


for _name in ("setup", "on_train_batch_start", "on_train_batch_end", "on_validation_batch_end", "on_validation_end",
              "on_train_epoch_start", "on_train_epoch_end", "on_train_end", "on_test_batch_end"):  # fmt: skip
    setattr(Kill, _name, _named(_name))
OF_A_PROCESS = {"on_fit_start", "on_fit_end", "on_train_start", "on_train_end", "on_sanity_check_start",
                "on_sanity_check_end", "on_exception", "on_save_checkpoint", "on_load_checkpoint"}  # fmt: skip
for _name in dir(Callback):
    if _name.startswith("on_") and _name not in OF_A_PROCESS:
        setattr(Hooks, _name, _named(_name))
