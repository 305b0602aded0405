"""What frames a run at the terminal: where it starts, and what it came to."""

from pathlib import Path
from typing import Any

import rich
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_only
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from classifiers.classifier import ImageClassifier
from classifiers.data import ImageDataModule
from classifiers.experiment.training.speed import unused_speed


@rank_zero_only
def print_start(trainer: Trainer, model: ImageClassifier, experiment: str, folder: Path) -> None:
    """Print what is trained, on what, and where to watch it."""
    data = trainer.datamodule  # type: ignore[attr-defined]
    assert isinstance(data, ImageDataModule)
    device = trainer.strategy.root_device
    machine = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    processes = f", {trainer.world_size} processes" if trainer.world_size > 1 else ""
    parameters = sum(parameter.numel() for parameter in model.net.parameters())
    rows = {
        "data": f"{type(data).__name__}, {data.num_classes} classes",
        "images": f"{len(data.train_set):,} to train, {len(data.val_set):,} to validate",
        "net": f"{type(model.net).__name__}, {parameters:,} parameters",
        "device": f"{machine}{processes}, precision {trainer.precision}",
        "run folder": _relative(folder),
        "watch it": f"tensorboard --logdir {_relative(folder.parent)}",
    }
    if options := unused_speed(trainer, model):
        rows["faster with"] = options
    _print_panel(experiment, rows)


@rank_zero_only
def print_end(folder: Path, result: dict[str, Any]) -> None:
    """Print the best epoch, its losses and accuracies, the seconds and the run folder."""
    rows = {"best epoch": f"{result['best_epoch'] + 1} of {result['epochs']}"}
    for split in [split for split in ("val", "test") if f"{split}/loss" in result]:
        rows[split] = f"loss {result[f'{split}/loss']:.4f}   accuracy {result[f'{split}/acc']:.2%}"
    rows |= {"seconds": f"{result['seconds']:.0f}", "run folder": _relative(folder)}
    _print_panel(result["experiment"], rows)


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _print_panel(title: str, rows: dict[str, str]) -> None:
    table = Table.grid(padding=(0, 3))
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(value, overflow="fold"))
    rich.get_console().print(Panel.fit(table, title=Text(title), title_align="left"))
