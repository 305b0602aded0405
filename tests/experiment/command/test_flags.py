"""Flags of the Trainer that change what a fit can leave."""

import json
from pathlib import Path

import pytest

from classifiers.cli import main
from tests.conftest import SMALL, Fails
from tests.experiment.checkpoints.test_resume import run_of

FIT = ["fit", *SMALL, "--trainer.default_root_dir=runs"]
ONE_CYCLE = ["--model.optimizer=SGD", "--model.optimizer.lr=0.1", "--model.lr_scheduler=OneCycle"]


@pytest.mark.parametrize(
    ("flag", "epochs"),
    [
        ("--trainer.limit_val_batches=0", 2),
        ("--trainer.check_val_every_n_epoch=5", 2),
        ("--trainer.enable_checkpointing=false", 2),
        ("--trainer.max_epochs=0", 0),
        ("--trainer.limit_train_batches=0", 0),
        ("--trainer.max_steps=0", 0),
    ],
)
@pytest.mark.parametrize("schedule", [[], ONE_CYCLE], ids=["constant", "OneCycle"])
def test_without_a_best_checkpoint_the_last_weights_are_tested(
    flag: str, epochs: int, schedule: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*FIT, flag, *schedule, "--figures=true"])
    run = run_of(Path.cwd())
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["epochs"], metrics["best_epoch"]) == (epochs, None)
    assert 0 <= metrics["test/acc"] <= 1
    assert ("val/acc" in metrics) == ("checkpointing" in flag)
    assert "the last weights are tested" in capsys.readouterr().out
    assert (run / "checkpoints").exists() == (epochs > 0 and "checkpointing" not in flag)


def test_barebones_leaves_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    main(
        [
            *FIT[:-1],
            "--trainer.enable_progress_bar=null",
            "--trainer.log_every_n_steps=null",
            "--trainer.barebones=true",
        ]
    )
    assert capfd.readouterr() == ("barebones: 12 steps are made, and nothing is logged, saved or tested\n", "")
    assert not Path("runs").exists()


def test_checkpoints_that_are_asked_for_and_forbidden_are_one_line(fails: Fails) -> None:
    line = fails(*FIT, "--trainer.enable_checkpointing=false", "--trainer.callbacks+=ModelCheckpoint")
    assert line.startswith("error: --trainer.enable_checkpointing False: ")


@pytest.mark.parametrize("strategy", ["ddp_spawn", "ddp_fork", "ddp_notebook"])
def test_a_strategy_whose_processes_cannot_tell_of_the_run_is_one_line(strategy: str, fails: Fails) -> None:
    line = fails(*FIT, "--trainer.devices=2", f"--trainer.strategy={strategy}")
    assert line.startswith(f"error: --trainer.strategy {strategy}: its processes end without telling")
