from pathlib import Path

import pytest

from classifiers.cli import main
from tests.conftest import Cli, Fails

ONE_CYCLE = ["--model.optimizer=SGD", "--model.optimizer.lr=0.1", "--model.lr_scheduler=OneCycle",
             "--model.lr_scheduler_interval=step"]  # fmt: skip


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_whose_schedule_would_end_too_early_is_left_as_it_was(
    fit: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    run = fit(*ONE_CYCLE)
    before = content(run)
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_info:
        main(["fit", f"--resume={run}", "--trainer.max_epochs=9"])
    assert exit_info.value.code == 2
    assert capsys.readouterr().err.startswith(
        "error: the learning-rate schedule ends after 12 steps, the run after 54: "
    )
    assert content(run) == before


def test_a_new_fit_whose_schedule_would_end_too_early_leaves_nothing(fails: Fails) -> None:
    data = ["--data=SyntheticDataModule", "--data.train_size=400", "--model.net=MLP", "--trainer.accelerator=cpu"]
    line = fails("fit", *data, *ONE_CYCLE, "--model.lr_scheduler.total_steps=5", "--trainer.max_epochs=2")
    assert line.startswith("error: the learning-rate schedule ends after 5 steps, the run after 6: train less")
