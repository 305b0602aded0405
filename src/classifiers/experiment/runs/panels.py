"""What frames a run at the terminal: where it starts, and what it came to."""

from pathlib import Path
from typing import Any

import rich
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from classifiers.experiment.monitors import natural_mode
from classifiers.experiment.sampling.repeatable_data import RepeatableDataModule
from classifiers.experiment.terminal import of_split, shown
from classifiers.experiment.training.speed import unused_speed


@rank_zero_only
def print_start(trainer: Trainer, model: LightningModule, experiment: str, folder: Path) -> None:
    """Print what is trained, on what, and where to watch it; of the data, what its method `panel_rows()` returns."""
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    device = trainer.strategy.root_device
    machine = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    processes = f", {trainer.world_size} processes" if trainer.world_size > 1 else ""
    inner = getattr(model, "net", None)
    label, net = ("net", inner) if isinstance(inner, torch.nn.Module) else ("model", model)
    rows = data.panel_rows() if hasattr(data, "panel_rows") else {"data": type(data).__name__}
    rows |= {
        label: f"{type(net).__name__}, {sum(part.numel() for part in net.parameters()):,} parameters",
        "device": f"{machine}{processes}, precision {trainer.precision}",
        "run folder": _relative(folder),
        "watch it": f"tensorboard --logdir {_relative(folder.parent)}",
    }
    if not isinstance(data, RepeatableDataModule):
        rows["resume"] = f"not exact: {type(data).__name__} is no RepeatableDataModule"
    if options := unused_speed(trainer, model):
        rows["faster with"] = options
    _print_panel(experiment, rows)


@rank_zero_only
def print_end(folder: Path, result: dict[str, Any], further: dict[str, str]) -> None:
    """Print the best epoch, the metrics of validation and test, `further` rows, the seconds and the run folder."""
    best = result["best_epoch"]
    rows = {"epochs": str(result["epochs"])} if best is None else {"best epoch": f"{best + 1} of {result['epochs']}"}
    for split in ("val", "test"):
        named = of_split(result, split)
        first = sorted(named, key=lambda name: (name != "loss", name != "acc", natural_mode(name) != "max"))
        found = [f"{'accuracy' if name == 'acc' else name} {shown(name, named[name])}" for name in first]
        if found:
            rows[split] = "   ".join(found)
    rows |= further | {"seconds": f"{result['seconds']:.0f}", "run folder": _relative(folder)}
    _print_panel(result["experiment"], rows)


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _print_panel(title: str, rows: dict[str, str]) -> None:
    table = Table.grid(padding=(0, 3))
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(value, overflow="fold"))
    rich.get_console().print(Panel.fit(table, title=Text(title), title_align="left"))
