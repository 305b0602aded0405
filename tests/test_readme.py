"""What the README shows works as it stands there."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from classifiers.experiment.paths import project_root
from tests.conftest import Script
from tests.processes import start
from tests.small_models import saved

README = (project_root() / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 180


def run(code: Sequence[str]) -> None:
    exec(code[0], {})


HERE = 'default_root_dir="."'


def test_its_python_runs(tmp_path: Path) -> None:
    example, _ = PYTHON
    small = example.replace("FashionMNISTDataModule", "SyntheticDataModule").replace(
        "max_epochs=5", f"max_epochs=1, {HERE}"
    )
    assert small.count("SyntheticDataModule") == 2
    running = start(tmp_path, small, program=run)
    assert running.wait() == 0, running.err
    assert "'test/acc'" in running.out
    assert (tmp_path / "mistakes.png").exists()
    assert (tmp_path / "batch.png").exists()


def test_its_config_is_fitted_and_goes_on(tmp_path: Path) -> None:
    """As the README says it, of a config of small synthetic images."""
    config = "data: {class_path: SyntheticDataModule, init_args: {image_size: 16, num_classes: 4}}"
    (tmp_path / "small.yaml").write_text(f"{config}\nmodel: {{net: MLP}}\n")
    (tmp_path / "photos").mkdir()
    for name in ("shoe.jpg", "photos/shirt.png"):
        Image.new("L", (40, 30)).save(tmp_path / name)
    small = (
        PYTHON[1].replace("configs/cifar10.yaml", "small.yaml").replace("0.1}", '0.1, "trainer.default_root_dir": "."}')
    )
    running = start(tmp_path, small, program=run)
    assert running.wait() == 0, running.err
    first, second = running.out.splitlines()[-2:]
    assert first.startswith("shoe.jpg pattern ")
    assert second.startswith("photos/shirt.png pattern ")
    assert "epoch 4/4" in running.out


def test_the_reading_path_is_short() -> None:
    path = re.findall(r"`([\w/]+\.(?:py|yaml))`", README.partition("in this order: ")[2].partition("\n\n")[0])
    places = [project_root(), project_root() / "src/classifiers"]
    files = [place / name for name in path for place in places if (place / name).exists()]
    assert len(files) == 12
    assert sum(len(file.read_text().splitlines()) for file in files) <= 1000


def test_its_checkpoint_is_used(script: Script) -> None:
    pytest.importorskip("onnxscript")
    saved(Path("x.ckpt"))
    Path("photos").mkdir()
    for name in ("shoe.jpg", "photos/shirt.png"):
        Image.new("L", (40, 30)).save(name)
    commands = re.findall(r"^    python scripts/((?:predict|export)\.py [^#\n]*)", README, re.MULTILINE)
    printed = [script(*command.replace("runs/…/checkpoints/best.ckpt", "x.ckpt").split()) for command in commands]
    assert [text.splitlines()[0].split()[0] for text in printed] == ["shoe.jpg", "shirts.onnx"]


def test_its_paths_exist() -> None:
    tree = re.findall(r"^(?:configs|scripts|src|tests)/\S*", README, re.MULTILINE)
    assert len(tree) >= 4
    assert [path for path in tree if not (project_root() / path).exists()] == []


def test_its_commands_parse(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project_root())
    commands = re.findall(r"^python scripts/(fit\.py[^#\n]*)", README, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        assert "trainer:" in script(*command.split(), "--print_config")
