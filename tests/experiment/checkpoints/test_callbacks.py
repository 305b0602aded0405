import csv
from pathlib import Path

import pytest
import torch

from classifiers import SyntheticDataModule
from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from tests.conftest import Cli


@pytest.fixture
def confused_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation labels that are wrong, so that the better a net trains, the worse it validates."""
    setup = SyntheticDataModule.setup

    def wrong(self: SyntheticDataModule, stage: str) -> None:
        setup(self, stage)
        if stage == "fit":
            self.val_set.labels = (self.val_set.labels + 1) % self.num_classes

    monkeypatch.setattr(SyntheticDataModule, "setup", wrong)


def validations(folder: Path) -> list[float]:
    with (folder / "metrics.csv").open(newline="") as file:
        return [float(row["val/loss"]) for row in csv.DictReader(file) if row.get("val/loss")]


@pytest.mark.usefixtures("confused_validation")
def test_best_is_the_best_and_last_is_the_last_when_validation_worsens(fit: Cli) -> None:
    folder = fit(
        "--best_checkpoint.monitor=val/loss", "--trainer.max_epochs=4",
        "--model.optimizer=Adam", "--model.optimizer.lr=0.05",
    )  # fmt: skip
    losses = validations(folder)
    assert losses[0] == min(losses) < losses[3]
    best, last = (torch.load(folder / f"checkpoints/{name}.ckpt", weights_only=True) for name in ("best", "last"))
    assert (best["epoch"], last["epoch"]) == (0, 4)  # in the first epoch, after the fourth
    assert (best["global_step"], last["global_step"]) == (6, 24)
    assert best["metrics"]["val/loss"] == losses[0]
    assert last["metrics"]["val/loss"] == losses[3]


def test_best_is_rewritten_when_validation_improves(fit: Cli) -> None:
    folder = fit("--trainer.max_epochs=4", "--best_checkpoint.monitor=val/loss")
    losses = validations(folder)
    best = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)
    assert best["epoch"] == losses.index(min(losses)) == 3


@pytest.mark.parametrize(("monitor", "mode"), [("val/loss", "min"), ("val/acc", "max")])
def test_the_mode_follows_the_monitor(monitor: str, mode: str) -> None:
    assert BestCheckpoint(monitor).mode == mode
    assert BestCheckpoint(monitor, mode=mode).mode == mode  # type: ignore[arg-type]
    assert BestCheckpoint("val/other", mode="min").mode == "min"


def test_last_is_the_last_epoch_where_validation_is_rarer(fit: Cli) -> None:
    folder = fit("--trainer.check_val_every_n_epoch=2", "--trainer.max_epochs=3")
    best, last = (torch.load(folder / f"checkpoints/{name}.ckpt", weights_only=True) for name in ("best", "last"))
    assert (best["epoch"], last["epoch"]) == (1, 3)
