import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from classifiers.experiment.paths import project_root
from tests.conftest import SMALL, Script
from tests.processes import start

SCRIPT = project_root() / "scripts/fit.py"


def printed_config(script: Script, *arguments: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(script("fit.py", *arguments, "--print_config"))
    return content


def test_without_a_config_it_fits_fashion_mnist(script: Script) -> None:
    config = printed_config(script, "--trainer.max_epochs=3")
    assert config["data"]["class_path"] == "classifiers.FashionMNISTDataModule"
    assert config["model"]["lr_scheduler"]["class_path"] == "classifiers.schedules.OneCycle"
    assert config["trainer"]["max_epochs"] == 3


@pytest.mark.parametrize("flag", ["--config={}", "--config {}", "-c {}"])
def test_with_a_config_it_fits_that_alone(flag: str, script: Script, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("model: {net: LeNet}\n")
    config = printed_config(script, *flag.format(tmp_path / "mine.yaml").split())
    assert config["model"]["net"]["class_path"] == "classifiers.LeNet"
    assert config["model"]["lr_scheduler"] is None


def test_help_is_that_of_fit(script: Script) -> None:
    assert "--init_weights" in script("fit.py", "--help")


def test_a_real_process_works_from_any_folder(tmp_path: Path) -> None:
    arguments = [*SMALL, "--trainer.default_root_dir=runs", "--model.optimizer.lr=0.02"]
    result = subprocess.run(
        [sys.executable, SCRIPT, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "│ run folder   " in result.stdout
    (folder,) = (tmp_path / "runs/fashion_mnist").iterdir()
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["optimizer"]["init_args"]["lr"] == 0.02


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    running = start(tmp_path, "fit", "--trainer.max_epoch=3")
    assert running.wait() == 2
    assert running.err == "error: unknown option --trainer.max_epoch: did you mean --trainer.max_epochs?\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["err", "out"]
