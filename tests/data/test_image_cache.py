"""Images that are decoded once: when they are found again, and when they are decoded anew."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from PIL import Image

from classifiers import CsvDataModule, ImageFolderDataModule
from classifiers.data import decoded_index, image_cache, image_writing
from classifiers.data.image_files import read_image
from classifiers.experiment.errors import UserError
from tests.photos import write_photos
from tests.processes import start

SHAPE = (3, 12, 12)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 20)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded into a cache from now on."""
    found: list[str] = []

    def read(path: str, *arguments: Any) -> torch.Tensor:
        found.append(Path(path).name)
        return read_image(path, *arguments)

    monkeypatch.setattr(image_writing, "read_image", read)
    return found


def made(root: Path, **arguments: Any) -> ImageFolderDataModule:
    data = ImageFolderDataModule(root, **{"image_size": 12, "batch_size": 16, "cache": True, **arguments})
    data.setup("fit")
    data.setup("test")
    return data


def pixels(data: ImageFolderDataModule) -> list[torch.Tensor]:
    return [images.first(100)[0] for images in (data.train_set, data.val_set, data.test_set)]


def require_right(data: ImageFolderDataModule) -> None:
    """The images are those of the files."""
    for paths, images in ((data.train_paths, data.train_set.images), (data.test_paths, data.test_set.images)):
        expected = torch.stack([read_image(path, SHAPE) for path in paths])
        assert torch.equal(images[torch.arange(len(images))], expected)


def kept(folder: Path) -> list[str]:
    """What stands in a folder of decoded images."""
    return sorted(path.name.partition(".")[2] for path in folder.iterdir() if path.name != ".lock")


def one(folder: Path, ending: str) -> Path:
    (found,) = folder.glob(f"*.decoded.{ending}")
    return found


def test_images_are_decoded_once(photos: Path, decoded: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    first = made(photos)
    assert len(decoded) == 40
    again = made(photos)
    assert len(decoded) == 40
    assert kept(photos / ".decoded") == ["decoded.index", "decoded.npy"]
    for one, other in zip(pixels(first), pixels(again), strict=True):
        assert torch.equal(one, other)
    require_right(again)
    assert again.num_workers == 0
    assert torch.equal(again.known("train"), made(photos, cache=False).known("train"))
    assert capsys.readouterr().out == ""


def test_each_size_and_way_has_its_own_file(photos: Path, tmp_path: Path, decoded: list[str]) -> None:
    for arguments in ({}, {"image_size": 8}, {"in_channels": 1}, {"resize": "crop"}):
        made(photos, cache=str(tmp_path / "cache"), **arguments)
    assert len(decoded) == 160
    assert kept(tmp_path / "cache") == ["decoded.index"] * 4 + ["decoded.npy"] * 4
    assert not (photos / ".decoded").exists()


def test_a_folder_that_moves_takes_its_images_along(photos: Path, decoded: list[str], tmp_path: Path) -> None:
    made(photos)
    require_right(made(photos.rename(tmp_path / "elsewhere")))
    assert len(decoded) == 40


def test_files_that_change_are_decoded_again(
    photos: Path, decoded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = made(photos)
    seen = pixels(before)
    decoded.clear()
    Image.new("RGB", (9, 9), "red").save(photos / "dark/000.png")
    Image.new("RGB", (9, 9), "red").save(photos / "dark/new.png")
    (photos / "light/001.jpg").unlink()
    require_right(made(photos))
    assert sorted(decoded) == ["000.png", "new.png"]
    assert capsys.readouterr().out == "files have changed since they were decoded: 1 new, 1 gone, 1 changed\n"
    assert kept(photos / ".decoded") == ["decoded.index", "decoded.npy"]
    for images, other in zip(seen, pixels(before), strict=True):  # as they were mapped
        assert torch.equal(images, other)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip(place: int, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        ("npy", cut),
        ("npy", partial(flip, 3)),
        ("npy", partial(flip, 70)),
        ("npy", Path.unlink),
        ("index", cut),
        ("index", partial(flip, 0)),
        ("index", partial(flip, -700)),
        ("index", lambda path: path.write_bytes(b"")),
    ],
    ids=["short", "magic", "header", "gone", "short index", "digest", "byte of the index", "empty index"],
)
def test_what_is_damaged_is_decoded_again(
    ending: str,
    damage: Callable[[Path], object],
    photos: Path,
    decoded: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    made(photos)
    damage(one(photos / ".decoded", ending))
    require_right(made(photos))
    assert len(decoded) == 80
    (told,) = capsys.readouterr().out.splitlines()
    assert told.startswith(f"can't use {one(photos / '.decoded', 'index')} (")
    assert told.endswith("): decoding 40 images again")
    made(photos)
    assert len(decoded) == 80


def test_images_of_another_version_are_decoded_again(
    photos: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(photos)
    for module in (decoded_index, image_cache):
        monkeypatch.setattr(module, "VERSION", "another")
    made(photos)
    assert len(decoded) == 80
    assert "(of version 1, Pillow" in capsys.readouterr().out
    assert kept(photos / ".decoded") == ["decoded.index", "decoded.npy"]


def test_unreadable_files_are_known_at_once(photos: Path, decoded: list[str], tmp_path: Path) -> None:
    (photos / "dark/000.png").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(UserError, match="^1 of 40 images can't be used: .*/dark/000.png is no .* image: mend"):
            made(photos)
    data = made(photos, skip_unreadable=True)
    assert len(decoded) == 40
    assert data.panel_rows()["left out"] == f"1 unreadable, as in {tmp_path}/unreadable_images.txt"
    require_right(data)


def test_a_table_names_its_own_images(photos: Path, decoded: list[str], tmp_path: Path) -> None:
    paths = sorted(str(path.relative_to(photos)) for path in photos.rglob("*.*"))
    for name, rows in (("all", paths), ("half", paths[::2])):
        lines = [f"{path},{path.split('/')[0]}" for path in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(["path,label", *lines]))
    for _ in range(2):
        for name in ("all", "half"):
            data = CsvDataModule(tmp_path / f"{name}.csv", photos, image_size=12, cache=True)
            images, _ = data.load(train=False)
            expected = torch.stack([read_image(path, SHAPE) for path in data.test_paths])
            assert torch.equal(images[torch.arange(len(images))], expected)
    assert len(decoded) == 60
    assert len(list((photos / ".decoded").glob("*.npy"))) == 2


def test_a_file_that_changes_while_it_is_decoded_is_one_line(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: str, *arguments: Any) -> torch.Tensor:
        (photos / "dark/000.png").write_bytes(b"other")
        (photos / "dark/001.jpg").unlink(missing_ok=True)
        return read_image(path, *arguments)

    monkeypatch.setattr(image_writing, "read_image", read)
    with pytest.raises(
        UserError, match=f"^files in {photos} changed while they were decoded .2 changed.: start again$"
    ):
        made(photos)
    assert kept(photos / ".decoded") == []


def test_one_of_two_that_start_at_once_waits_for_the_other(
    photos: Path, decoded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / ".decoded").mkdir()
    held = FileLock(photos / ".decoded/.lock", thread_local=False)
    held.acquire()
    waiting = threading.Thread(target=made, args=(photos,))
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    assert decoded == []
    held.release()
    waiting.join()
    assert len(decoded) == 40
    told = f"another process decodes images into {photos}/.decoded: waiting for it\n"
    assert capsys.readouterr().out == told


def build(arguments: Sequence[str]) -> None:
    made(Path(arguments[0]))


def kill_at(row: int) -> None:
    """Let the process die when it reads its image of that number."""
    count = iter(range(row))

    def read(path: str, *arguments: Any) -> torch.Tensor:
        if next(count, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return read_image(path, *arguments)

    image_writing.read_image = read


@pytest.mark.parametrize("row", [0, 30])
def test_a_build_that_is_killed_begins_anew(row: int, photos: Path, decoded: list[str], tmp_path: Path) -> None:
    killed = start(tmp_path / "killed", str(photos), program=build, before=partial(kill_at, row))
    assert killed.wait() == -signal.SIGKILL
    assert kept(photos / ".decoded") == ["decoded.npy.partial"]
    require_right(made(photos))
    assert len(decoded) == 40
    assert kept(photos / ".decoded") == ["decoded.index", "decoded.npy"]
    content = one(photos / ".decoded", "npy").read_bytes()
    made(photos, cache=str(tmp_path / "whole"))
    assert one(tmp_path / "whole", "npy").read_bytes() == content


def test_two_processes_that_start_at_once_decode_once(photos: Path, tmp_path: Path) -> None:
    both = [start(tmp_path / name, str(photos), program=build, before=partial(note_reads, tmp_path)) for name in "ab"]
    assert [running.wait() for running in both] == [0, 0]
    assert len(list(tmp_path.glob("read-*"))) == 1
    assert kept(photos / ".decoded") == ["decoded.index", "decoded.npy"]


def note_reads(folder: Path) -> None:
    """Let the process that decodes leave a file in that folder."""

    def read(path: str, *arguments: Any) -> torch.Tensor:
        (folder / f"read-{os.getpid()}").touch()
        return read_image(path, *arguments)

    image_writing.read_image = read
