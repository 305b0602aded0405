import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from classifiers.paths import project_root
from tests.conftest import SMALL

SCRIPT = project_root() / "scripts/fit.py"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_without_a_config_it_fits_fashion_mnist(tmp_path: Path) -> None:
    printed = yaml.safe_load(run("--trainer.max_epochs=3", "--print_config", cwd=tmp_path).stdout)
    assert printed["data"]["class_path"] == "classifiers.FashionMNISTDataModule"
    assert printed["model"]["net"]["class_path"] == "classifiers.ConvNet"
    assert printed["trainer"]["max_epochs"] == 3


@pytest.mark.parametrize("flag", ["--config={}", "--config {}", "-c {}"])
def test_with_a_config_it_fits_that_alone(flag: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("model: {net: LeNet}\n")
    printed = yaml.safe_load(run(*flag.format("mine.yaml").split(), "--print_config", cwd=tmp_path).stdout)
    assert printed["model"]["net"]["class_path"] == "classifiers.LeNet"
    assert printed["model"]["lr_scheduler"] is None


def test_help_is_that_of_fit(tmp_path: Path) -> None:
    result = run("--help", cwd=tmp_path)
    assert result.returncode == 0
    assert "--init_weights" in result.stdout


def test_overrides_reach_a_real_fit(tmp_path: Path) -> None:
    result = run(*SMALL, "--trainer.default_root_dir=runs", "--model.optimizer.lr=0.02", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (folder,) = (tmp_path / "runs/fashion_mnist").iterdir()
    assert "│ run folder   " in result.stdout
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["optimizer"]["init_args"]["lr"] == 0.02


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    result = run("--trainer.max_epoch=3", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "error: unknown option --trainer.max_epoch: did you mean --trainer.max_epochs?\n"
    assert list(tmp_path.iterdir()) == []
