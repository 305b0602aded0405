import json
from pathlib import Path

import pytest
from lightning.pytorch.loggers import wandb

from classifiers import fit as fit_here
from classifiers import open_run
from tests import small_models
from tests.conftest import SMALL, Cli, Fails
from tests.noting_logger import NotingLogger

OWN = "--trainer.logger=tests.noting_logger.NotingLogger"


@pytest.fixture(autouse=True)
def _none_made() -> None:
    NotingLogger.made.clear()


def test_a_logger_gets_all_settings_once_every_metric_and_the_result(fit: Cli) -> None:
    folder = fit(OWN)
    (logger,) = NotingLogger.made
    (settings,) = logger.settings
    expected = {
        "seed_everything": 0,
        "data": "classifiers.SyntheticDataModule",
        "data.batch_size": 64,
        "model.net": "classifiers.MLP",
        "model.net.hidden": [8],
        "model.lr_scheduler": None,
        "trainer.max_epochs": 2,
        "trainer.logger": "tests.noting_logger.NotingLogger",
        "experiment": "default",
        "run folder": str(folder),
    }
    assert {name: settings[name] for name in expected} == expected
    assert settings["model.optimizer.lr"] > 0
    first = ["epoch", "lr", "train/loss"]
    assert [(step, sorted(metrics)) for step, metrics in logger.metrics] == [
        (2, first),
        (5, first),
        (5, ["epoch", "val/acc", "val/loss"]),
        (5, ["epoch", "train/acc", "train/epoch_loss"]),
        (8, first),
        (11, first),
        (11, ["epoch", "val/acc", "val/loss"]),
        (11, ["epoch", "train/acc", "train/epoch_loss"]),
        (12, ["epoch", "test/acc", "test/ece", "test/loss", "test/macro_f1"]),
        (
            12,
            ["test/best_acc", "test/best_ece", "test/best_loss", "test/best_macro_f1", "val/best_acc", "val/best_loss"],
        ),
    ]
    result = json.loads((folder / "metrics.json").read_text())
    assert logger.metrics[-1][1]["val/best_acc"] == result["val/acc"]
    assert set(logger.statuses) == {"success"}


def test_every_logger_of_a_fit_in_python_gets_all_settings() -> None:
    data = small_models.synthetic()
    loggers = [NotingLogger(), NotingLogger()]
    run = fit_here(small_models.small(data), data, logger=loggers, default_root_dir="runs", max_epochs=1, seed=3)
    for logger in loggers:
        (settings,) = logger.settings
        assert (settings["seed_everything"], settings["run folder"]) == (3, str(run.folder))
        assert settings["data.train_size"] == 400


def test_a_failed_fit_closes_it_as_failed(fit: Cli) -> None:
    with pytest.raises(SystemExit, match="2"):
        fit(OWN, "--model.optimizer.lr=1e30", "--trainer.log_every_n_steps=1")
    assert NotingLogger.made[0].statuses == ["failed"]


def test_a_resumed_run_goes_on_in_a_logger_that_refuses_changed_settings(
    fit: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fit(OWN)
    open_run(folder).resume(**{"trainer.max_epochs": 3, "trainer.logger.kept": {"trainer.max_epochs": 2}})
    line = "NotingLogger keeps the settings that it has: 'max_epochs was another'"
    assert line in capsys.readouterr().out.splitlines()
    again = NotingLogger.made[1]
    assert again.settings == []
    assert [step for step, _ in again.metrics] == [14, 17, 17, 17, 18, 18]


def test_a_logger_that_takes_no_settings_is_one_line(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        fit(OWN, "--trainer.logger.kept={a: 1}")
    line = "error: NotingLogger takes no settings: 'max_epochs was another'"
    assert capsys.readouterr().err.splitlines()[-1] == line


def test_a_package_that_is_not_installed_is_one_line(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb, "_WANDB_AVAILABLE", wandb.RequirementCache("absent-wandb>=0.12.10"))
    line = fails("fit", *SMALL, "--trainer.logger=WandbLogger")
    assert line == "error: WandbLogger needs absent-wandb: python -m pip install absent-wandb"


def test_csv_logger(fit: Cli, tmp_path: Path) -> None:
    folder = fit("--trainer.logger=CSVLogger", "--trainer.logger.save_dir=logs")
    written = tmp_path / "logs/lightning_logs/version_0"
    assert f"run folder: {folder}\n" in (written / "hparams.yaml").read_text()
    assert "test/best_acc" in (written / "metrics.csv").read_text()


@pytest.mark.filterwarnings("ignore")
def test_mlflow(fit: Cli, tmp_path: Path) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    store = f"sqlite:///{tmp_path}/mlflow.db"
    folder = fit("--trainer.logger=MLFlowLogger", f"--trainer.logger.tracking_uri={store}")
    client = tracking.MlflowClient(store)
    (run,) = client.search_runs([client.get_experiment_by_name("lightning_logs").experiment_id])
    assert (run.info.status, run.data.params["run folder"]) == ("FINISHED", str(folder))
    assert run.data.metrics["test/best_acc"] == run.data.metrics["test/acc"]


@pytest.mark.filterwarnings("ignore")
def test_wandb(fit: Cli, tmp_path: Path) -> None:
    package = pytest.importorskip("wandb")
    folder = fit("--trainer.logger=WandbLogger", "--trainer.logger.offline=true", "--trainer.logger.save_dir=.")
    assert package.run.config["run folder"] == str(folder)
    assert package.run.summary["test/best_acc"] == package.run.summary["test/acc"]
    package.finish()
