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
    assert len(README.splitlines()) <= 150


def run(code: Sequence[str]) -> None:
    exec(code[0], {})


def test_its_python_runs(tmp_path: Path) -> None:
    example, _ = PYTHON
    assert len([line for line in example.splitlines() if line.strip()]) <= 12
    small = example.replace("FashionMNISTDataModule", "SyntheticDataModule").replace("max_epochs=5", "max_epochs=1")
    assert small.count("SyntheticDataModule") == 2
    running = start(tmp_path, small, program=run)
    assert running.wait() == 0, running.err
    assert "test/acc" in running.out


def test_its_checkpoint_is_used(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxscript")
    saved(Path("x.ckpt"))
    Path("photos").mkdir()
    for name in ("shoe.jpg", "photos/shirt.png"):
        Image.new("L", (40, 30)).save(name)
    commands = re.findall(r"^    python scripts/((?:predict|export)\.py [^#\n]*)", README, re.MULTILINE)
    printed = [script(*command.replace("runs/…/checkpoints/best.ckpt", "x.ckpt").split()) for command in commands]
    assert [text.splitlines()[0].split()[0] for text in printed] == ["shoe.jpg", "shirts.onnx"]
    exec(PYTHON[1].replace("runs/…/checkpoints/best.ckpt", "x.ckpt"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("shoe.jpg pattern ")
    assert second.startswith("photos/shirt.png pattern ")


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
