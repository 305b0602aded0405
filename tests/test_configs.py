"""Every config parses, stays short, says how it is run, and trains a step."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from classifiers import ImageDataModule, SyntheticDataModule
from classifiers.cli import main
from classifiers.experiment.paths import project_root
from tests.photos import write_photos

ROOT = project_root()
CONFIGS = sorted(path for path in (ROOT / "configs").rglob("*.yaml") if yaml.safe_load(path.read_text()).get("data"))


@pytest.fixture
def synthetic_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give all data modules that need files a few synthetic images of their own shape."""
    for kind in ImageDataModule.__subclasses__():
        if "prepare_data" not in vars(kind):
            continue

        def load(self: Any, train: bool) -> Any:
            data = SyntheticDataModule(
                self.num_classes, self.in_channels, self.image_size, train_size=2100, test_size=60
            )
            return data.load(train)

        monkeypatch.setattr(kind, "prepare_data", lambda self: None)
        monkeypatch.setattr(kind, "load", load)


def test_the_configs_are_found() -> None:
    assert {path.name for path in CONFIGS} >= {"fashion_mnist.yaml", "cifar10.yaml"}


@pytest.mark.usefixtures("synthetic_pixels")
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_config(path: Path, tmp_path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 40
    header = [line for line in lines if line.startswith("#")]
    relative = str(path.relative_to(ROOT))
    default = relative == "configs/fashion_mnist.yaml"
    root = " --data.root path/to/images" if "ImageFolderDataModule" in path.read_text() else ""
    assert f"# python scripts/fit.py{'' if default else f' --config {relative}'}{root}" in header
    dry = ["--trainer.fast_dev_run=true", "--trainer.accelerator=cpu", f"--trainer.default_root_dir={tmp_path}"]
    dry += ["--data.batch_size=4", "--data.eval_batch_size=4"]
    if "compile:" in path.read_text():
        dry.append("--model.compile=null")  # takes a minute
    if "PretrainedNet" in path.read_text():
        dry += ["--model.net.weights=null", "--data.image_size=64"]
    if root:
        dry.append(f"--data.root={write_photos(tmp_path / 'photos', 10)}")
    main(["fit", f"--config={path}", *dry, "--trainer.enable_progress_bar=false"])


@pytest.mark.usefixtures("synthetic_pixels")
@pytest.mark.parametrize("path", sorted((ROOT / "configs/trainer").glob("*.yaml")), ids=lambda path: path.stem)
def test_overlay(path: Path, tmp_path: Path) -> None:
    """A second config changes the trainer of any first one."""
    text = path.read_text()
    assert f"--config configs/trainer/{path.name}" in text
    assert yaml.safe_load(text).keys() == {"trainer"}
    dry = ["--trainer.fast_dev_run=true", "--trainer.accelerator=cpu", f"--trainer.default_root_dir={tmp_path}"]
    main(["fit", f"--config={ROOT / 'configs/cifar10.yaml'}", f"--config={path}", *dry])
