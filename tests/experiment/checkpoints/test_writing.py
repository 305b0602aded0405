import os
import pickle
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from classifiers.cli import main
from classifiers.experiment.checkpoints.writing import AtomicCheckpointIO
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_checkpoint_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints/last.ckpt"
    for value in (1, 2):
        AtomicCheckpointIO().save_checkpoint({"value": torch.tensor(value)}, path)
        assert AtomicCheckpointIO().load_checkpoint(path) == {"value": torch.tensor(value)}
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_checkpoint_before(small_disk: Path) -> None:
    path = small_disk / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weights": torch.zeros(30_000)}, path)  # 120 KB
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"^can't write .*/last\.ckpt \(No space left on device\)"):
        AtomicCheckpointIO().save_checkpoint({"weights": torch.ones(50_000)}, path)
    assert path.read_bytes() == before
    assert list(small_disk.iterdir()) == [path]


def test_a_fit_on_a_disk_that_fills_ends_with_one_line(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["fit", *SMALL, "--trainer.max_epochs=99", "--model.net.hidden=[60]",
              "--last_checkpoint.every_n_steps=1", f"--trainer.default_root_dir={small_disk}"])  # fmt: skip
    assert exit_info.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "No space left on device" in line
    for path in small_disk.rglob("*.ckpt"):
        torch.load(path, weights_only=True)


class Hostile:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def test_loading_runs_no_code(tmp_path: Path) -> None:
    torch.save({"value": Hostile(tmp_path / "marker")}, tmp_path / "x.ckpt")
    with pytest.raises(pickle.UnpicklingError):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "x.ckpt", weights_only=False)
    assert not (tmp_path / "marker").exists()
