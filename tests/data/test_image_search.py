from collections import Counter
from pathlib import Path

import pytest

from classifiers.data.image_search import find_images, told
from classifiers.experiment.errors import UserError


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder: Path) -> tuple[list[str], dict[str, int]]:
    left_out = Counter[str]()
    return [str(path.relative_to(folder)) for path in find_images(folder, left_out)], dict(left_out)


def test_a_folder_stands_for_the_images_below(tmp_path: Path) -> None:
    write(tmp_path, "b.PNG", "a/2.jpeg", "a/1.webp", "c.ppm", "d.jp2")
    assert found(tmp_path) == (["a/1.webp", "a/2.jpeg", "b.PNG", "c.ppm", "d.jp2"], {})
    assert find_images(tmp_path / "b.PNG") == [tmp_path / "b.PNG"]


def test_other_files_are_counted_by_their_endings(tmp_path: Path) -> None:
    write(tmp_path, "1.png", "2.heic", "3.HEIC", "a/4.heic", "5", "a/labels.csv")
    assert found(tmp_path) == (["1.png"], {".heic": 3, "without an ending": 1, ".csv": 1})
    assert told(Counter({".csv": 1, ".heic": 3000})) == "3,000 .heic, 1 .csv"


def test_hidden_copies_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "1.png", ".ipynb_checkpoints/1-checkpoint.png", "@eaDir/1.png/thumb.jpg", "__MACOSX/._1.png",
          ".DS_Store", ".hidden.png")  # fmt: skip
    assert found(tmp_path) == (["1.png"], {"hidden": 4})


def test_linked_folders_are_followed_and_nothing_is_found_twice(tmp_path: Path) -> None:
    write(tmp_path, "photos/1.png", "elsewhere/2.png", "elsewhere/deep/3.png")
    (tmp_path / "photos/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos/again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/round").symlink_to(tmp_path / "photos")
    assert found(tmp_path / "photos") == (["1.png", "again/2.png", "again/deep/3.png"], {})


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "1.png", "deep/2.png")
    scan = __import__("os").scandir

    def refuse(folder: str) -> object:
        if Path(folder).name == "deep":
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(UserError, match=rf"can't look into {tmp_path}/deep \(Permission denied\)"):
        find_images(tmp_path)


def test_a_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^there is no image in {tmp_path}: put some there, or leave it out$"):
        find_images(tmp_path)
    write(tmp_path, "1.heic", "2.heic")
    with pytest.raises(UserError, match=r", but files that are none \(2 .heic\): put some there"):
        find_images(tmp_path)
