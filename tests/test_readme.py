"""What the README shows works as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from classifiers.paths import project_root
from tests.conftest import Script

README = (project_root() / "README.md").read_text()


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_its_python_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 12
    small = example.replace("FashionMNISTDataModule", "SyntheticDataModule").replace("max_epochs=5", "max_epochs=1")
    assert small.count("SyntheticDataModule") == 2
    result = subprocess.run([sys.executable, "-c", small], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "test/acc" in result.stdout


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
