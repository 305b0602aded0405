"""Where decoded images are kept, how many, and what is said where they can't be."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from classifiers import ImageFolderDataModule
from classifiers.data import image_writing
from classifiers.data.cache_folder import INDEX, CacheFolder, NoRoomError, images_of
from classifiers.data.decoding import ImageFiles
from classifiers.data.image_files import read_image
from classifiers.data.mapped_images import MappedImages
from classifiers.experiment.errors import UserError
from tests.conftest import Fails
from tests.photos import write_photos

OTHERWISE = "name another folder with --data.cache, or stream the files by --data.cache false"
GIB = 2**30


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 20)


def kind(root: Path, **arguments: Any) -> type:
    """How the images are kept."""
    data = ImageFolderDataModule(root, **{"image_size": 12, "memory_limit": 0, **arguments})
    images, _ = data.load(train=True)
    assert torch.equal(images[torch.arange(1)][0], read_image(data.train_paths[0], data.image_shape))
    return type(images)


def entry(folder: Path, name: str, size: int, time: int) -> Path:
    """A pair of files of `size` bytes together, last used at that time."""
    index = folder / f"{name}{INDEX}"
    index.touch()
    images_of(index).write_bytes(b"x" * size)
    os.utime(index, (time, time))
    return index


def test_images_beyond_the_memory_limit_are_kept_beside_their_files(photos: Path) -> None:
    assert kind(photos, memory_limit=4) is torch.Tensor
    assert kind(photos, memory_limit=4, cache=False) is torch.Tensor
    assert not (photos / ".decoded").exists()
    assert kind(photos, cache=False) is ImageFiles
    assert not (photos / ".decoded").exists()
    assert kind(photos) is MappedImages
    assert len(list((photos / ".decoded").glob("*.npy"))) == 1
    assert kind(photos, memory_limit=4, cache=True) is MappedImages


def test_the_folder_is_no_class_and_no_image(photos: Path) -> None:
    kind(photos)
    data = ImageFolderDataModule(photos, image_size=12, cache=True)
    assert (data.class_names, dict(data.left_out)) == (("dark", "light"), {})


def test_what_cannot_be_kept_is_streamed_unless_that_was_asked_for(
    photos: Path, fails: Fails, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / ".decoded").touch()
    assert kind(photos) is ImageFiles
    told = f"can't write to {photos}/.decoded (File exists): name another folder with --data.cache"
    assert capsys.readouterr().err == f"warning: the files are streamed: {told}\n"
    data = ["fit", "--data=ImageFolderDataModule", f"--data.root={photos}"]
    assert fails(*data, "--data.cache=true") == f"error: {told}"
    (file := photos.with_name("file")).touch()
    told = f"can't write to {file}/x (Not a directory): name another folder with --data.cache"
    assert fails(*data, f"--data.cache={file}/x") == f"error: {told}"
    told = f"--data.cache {photos}/kept is among the images: name another, or one that begins with a dot"
    assert fails(*data, f"--data.cache={photos}/kept") == f"error: {told}"
    assert kind(photos, cache=str(photos / ".kept")) is MappedImages


def test_more_than_the_limit_is_refused_before_anything_is_written(
    photos: Path, fails: Fails, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["fit", "--data=ImageFolderDataModule", f"--data.root={photos}", "--data.image_size=64"]
    line = fails(*data, "--data.cache=true", "--data.cache_limit=0.0001")
    assert line == f"error: the decoded images take 0.0004578 GiB, and --data.cache_limit allows 0.0001: {OTHERWISE}"
    assert kind(photos, cache_limit=0) is ImageFiles
    assert "warning: the files are streamed: the decoded images take" in capsys.readouterr().err


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(photos: Path, small_disk: Path) -> None:
    needed = "the decoded images take 0.0004578 GiB, and the disk of .*/disk/cache has 0.0002441 free: name another"
    with pytest.raises(NoRoomError, match=needed):
        kind(photos, image_size=64, cache=str(small_disk / "cache"))
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_others_fill_meanwhile_is_one_line(
    photos: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: str, *arguments: Any) -> torch.Tensor:
        if not (small_disk / "other").exists():
            (small_disk / "other").write_bytes(b"x" * 200_000)
        return read_image(path, *arguments)

    monkeypatch.setattr(image_writing, "read_image", read)
    with pytest.raises(UserError, match=rf"^can't write .*\.npy \(No space left on device\): {OTHERWISE}$"):
        kind(photos, image_size=40, cache=str(small_disk / "cache"))
    assert [path.name for path in (small_disk / "cache").iterdir()] == [".lock"]


def test_those_least_recently_used_make_room(tmp_path: Path) -> None:
    names = {"b": 2, "a": 1, "c": 3, "own": 4}
    indexes = {name: entry(tmp_path, name, 100, time) for name, time in names.items()}
    (tmp_path / "killed.decoded.npy.partial").touch()
    (tmp_path / "x.npy").touch()
    folder = CacheFolder(tmp_path, 450 / GIB)
    assert folder.indexes() == [indexes[name] for name in ["a", "b", "c", "own"]]
    folder.make_room(50, [indexes["own"]])
    assert folder.indexes() == [indexes[name] for name in ["a", "b", "c", "own"]]
    folder.make_room(250, [indexes["own"]])
    assert folder.indexes() == [indexes[name] for name in ["b", "c"]]
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".npy") == [
        "b.decoded.npy",
        "c.decoded.npy",
        "x.npy",
    ]
    with pytest.raises(NoRoomError, match="--data.cache_limit allows"):
        folder.make_room(451, [])
    assert folder.indexes() == [indexes[name] for name in ["b", "c"]]


def test_what_is_used_is_the_last_to_go(photos: Path, tmp_path: Path) -> None:
    kept = {"cache": str(tmp_path / "cache"), "cache_limit": 45_000 / GIB}
    for size in (12, 14, 12, 10):
        kind(photos, image_size=size, **kept)
        for index in (tmp_path / "cache").glob(f"*{INDEX}"):
            os.utime(index, ns=(index.stat().st_mtime_ns - 10**9,) * 2)
    assert sorted(path.name.split("-")[1] for path in (tmp_path / "cache").glob("*.npy")) == ["3x10x10", "3x12x12"]


def test_a_folder_that_cannot_be_locked_is_one_line(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(*_: Any, **__: Any) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    with pytest.raises(NoRoomError, match=f"^can't lock {photos}/.decoded .FileSystem does not .*: {OTHERWISE}$"):
        kind(photos, cache=True)
