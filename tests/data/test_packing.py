import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifiers import StreamDataModule
from classifiers.data import packing
from classifiers.data.chunk_stores import litdata
from classifiers.data.class_folders import find_files
from classifiers.data.packing import Packed, write_pack
from classifiers.experiment.errors import UserError
from tests.conftest import Fails, Script, listing
from tests.photos import write_photos
from tests.processes import start


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 20)


def test_litdata_reads_the_files_as_they_are(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "CHUNK", 5000)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert write_pack(photos, tmp_path / "pack") == Packed(40, 2, len([*(tmp_path / "pack").glob("*.bin")]), Counter())
    packed = litdata("streaming.dataset").StreamingDataset(str(tmp_path / "pack"))
    paths = find_files(photos)[1]["train"].paths
    assert [packed[index] for index in range(len(packed))] == [Path(path).read_bytes() for path in paths]
    assert len([*(tmp_path / "pack").glob("*.bin")]) > 3


def test_a_pack_follows_from_the_folder(photos: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_pack(photos, tmp_path / name)
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.name != "index.json"}
        for name in ("one", "other")
    )
    assert one == other
    assert {*one} == {"chunk-0-0.bin", "images.npz"}


def test_the_script_says_what_is_packed(photos: Path, tmp_path: Path, script: Script) -> None:
    (photos / "dark/notes.txt").touch()
    first, second, third = script("pack.py", str(photos), str(tmp_path / "pack")).splitlines()
    assert first == "left out: 1 .txt"
    assert second == f"{tmp_path}/pack: images 40, classes 2, chunks 1; fit them by"
    assert third.startswith(f"--data StreamDataModule --data.root {tmp_path}/pack, or copy it")


def test_an_image_larger_than_a_chunk_has_one_of_its_own(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "CHUNK", 100)
    assert write_pack(photos, tmp_path / "pack").chunks == 40
    data = StreamDataModule(tmp_path / "pack", image_size=12)
    assert len(data.load(train=True)[0]) + len(data.load(train=False)[0]) == 40


def test_mistakes_are_one_line_and_leave_nothing(photos: Path, tmp_path: Path, fails: Fails) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/x").touch()
    line = fails("pack", str(photos), str(tmp_path / "there"))
    assert line == f"error: {tmp_path}/there is there already: name a new folder for the pack, or take that away"
    assert fails("pack", str(photos), str(photos / "dark/001.jpg")).endswith("or take that away")
    assert fails("pack", str(photos / "dark"), "pack").endswith("two or more classes, and has none")
    assert fails("pack", str(tmp_path / "none"), "pack").startswith(f"error: there is no folder {tmp_path}/none")
    assert fails("pack", str(photos), "/proc/pack").startswith("error: can't write /proc/pack (")


def test_unreadable_images_are_told_or_left_out(photos: Path, tmp_path: Path, fails: Fails) -> None:
    (photos / "dark/000.png").write_bytes(b"")
    jpeg = photos / "light/007.jpg"
    jpeg.write_bytes(jpeg.read_bytes()[:-20])
    (tmp_path / "unreadable_images.txt").touch()
    with pytest.raises(
        UserError, match="^2 of 40 images can't be used: .*/dark/000.png is.* by --skip_unreadable true$"
    ):
        write_pack(photos, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
    left_out = {f"unreadable, as in {tmp_path}/unreadable_images.txt": 2}
    assert write_pack(photos, tmp_path / "pack", skip_unreadable=True) == Packed(38, 2, 1, Counter(left_out))
    data = StreamDataModule(tmp_path / "pack", image_size=12)
    assert len(data.load(train=True)[0]) + len(data.load(train=False)[0]) == 38


def test_a_class_of_which_nothing_can_be_read_is_one_line(photos: Path, tmp_path: Path) -> None:
    for path in (photos / "dark").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match="^no image of dark can be read: .*/dark/000.png is no "):
        write_pack(photos, tmp_path / "pack", skip_unreadable=True)
    assert not (tmp_path / "pack").exists()


def test_a_full_disk_is_one_line(photos: Path, small_disk: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)).save(photos / "dark/large.png")
    with pytest.raises(UserError, match="No space left on device.*make room, or name another folder"):
        write_pack(photos, small_disk / "pack")
    assert listing(small_disk) == {}


def kill_itself(arguments: list[str]) -> None:
    """Pack by a program that is killed before it writes the table."""
    import os

    packing.table = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    write_pack(*map(Path, arguments))


def test_a_pack_that_was_killed_is_none(photos: Path, tmp_path: Path) -> None:
    running = start(tmp_path / "killed", str(photos), "pack", program=kill_itself)
    assert running.wait() == -signal.SIGKILL
    with pytest.raises(UserError, match="can't read .*killed/pack/images.npz.*: --data.root names what pack wrote"):
        StreamDataModule(tmp_path / "killed/pack")


def test_what_interrupts_it_leaves_nothing(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, "table", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_pack(photos, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
