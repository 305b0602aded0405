import os
import pickle
from collections import OrderedDict
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import torch

from classifiers.cli import main
from classifiers.experiment.checkpoints import writing
from classifiers.experiment.checkpoints.writing import AtomicCheckpointIO
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL


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


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Nothing is written before this is set."""
    may_write, really = Event(), writing.write

    def write(*given: Any) -> None:
        assert may_write.wait(timeout=60)
        really(*given)

    monkeypatch.setattr(writing, "write", write)
    return may_write


def test_in_the_background_a_checkpoint_is_what_it_was_when_it_was_saved(tmp_path: Path, slow_disk: Event) -> None:
    tied = torch.zeros(2)
    state = OrderedDict(weights=tied, same=tied, list=[tied, {"rates": [0.1]}], pair=(tied, 1))
    io = AtomicCheckpointIO()
    with io.in_background():
        io.save_checkpoint({"state": state}, tmp_path / "last.ckpt")
    tied += 1
    state["list"][1]["rates"].append(0.2)
    assert not (tmp_path / "last.ckpt").exists()
    slow_disk.set()
    loaded = io.load_checkpoint(tmp_path / "last.ckpt")["state"]
    assert type(loaded) is OrderedDict
    tensors = [loaded["weights"], loaded["same"], loaded["list"][0], loaded["pair"][0]]
    assert [tensor.tolist() for tensor in tensors] == [[0, 0]] * 4
    assert loaded["list"][1] == {"rates": [0.1]}
    io.teardown()


def test_checkpoints_are_written_in_order_and_no_more_than_two_wait(tmp_path: Path, slow_disk: Event) -> None:
    io, saved = AtomicCheckpointIO(), []

    def save(*values: int) -> None:
        with io.in_background():
            for value in values:
                io.save_checkpoint({"value": value}, tmp_path / "last.ckpt")
                saved.append(value)

    save(1, 2)
    third = Thread(target=save, args=(3,))
    third.start()
    third.join(timeout=0.1)
    assert saved == [1, 2]
    slow_disk.set()
    third.join()
    io.save_checkpoint({"value": 4}, tmp_path / "now.ckpt")  # at once, but after those before it
    assert [torch.load(tmp_path / f"{name}.ckpt")["value"] for name in ("last", "now")] == [3, 4]
    io.teardown()
    with io.in_background():
        io.save_checkpoint({"value": 5}, tmp_path / "last.ckpt")  # a second fit
    io.teardown()
    assert torch.load(tmp_path / "last.ckpt")["value"] == 5


@pytest.mark.parametrize("when", ["wait", "teardown", "save"])
def test_what_cannot_be_written_is_told_once(when: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    io = AtomicCheckpointIO()
    with io.in_background():
        io.save_checkpoint({}, tmp_path / "file/last.ckpt")
    tell = {"wait": io.wait, "teardown": io.teardown, "save": lambda: io.save_checkpoint({}, tmp_path / "other.ckpt")}
    with pytest.raises(UserError, match="^can't write .*file/last.ckpt"):
        tell[when]()
    io.teardown()


def test_without_memory_for_a_copy_it_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(value: Any) -> Any:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(writing, "snapshot", none)
    io = AtomicCheckpointIO()
    with io.in_background():
        io.save_checkpoint({"value": 1}, tmp_path / "last.ckpt")
        assert torch.load(tmp_path / "last.ckpt") == {"value": 1}


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
