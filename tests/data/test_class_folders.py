from pathlib import Path

import pytest

from classifiers.data.class_folders import find_files
from classifiers.experiment.errors import UserError
from tests.photos import write_photos


def test_each_sub_folder_is_a_class(tmp_path: Path) -> None:
    root = write_photos(tmp_path / "photos", 3)
    (root / "light/deeper").mkdir()
    (root / "light/000.png").rename(root / "light/deeper/x.PNG")
    (root / "light/notes.txt").touch()
    (root / "notes.txt").touch()
    (root / ".cache").mkdir()
    names, splits = find_files(root)
    assert (names, splits.keys()) == (("dark", "light"), {"train"})
    found = [str(Path(path).relative_to(root)) for path in splits["train"].paths]
    assert found == ["dark/000.png", "dark/001.jpg", "dark/002.webp", "light/001.jpg", "light/002.webp",
                     "light/deeper/x.PNG"]  # fmt: skip
    assert splits["train"].labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_splits_have_their_folders(tmp_path: Path) -> None:
    for count, split in enumerate(("train", "val", "test"), 2):
        write_photos(tmp_path / split, count)
    names, splits = find_files(tmp_path)
    assert names == ("dark", "light")
    assert {split: files.labels.bincount().tolist() for split, files in splits.items()} == {
        "train": [2, 2],
        "val": [3, 3],
        "test": [4, 4],
    }
    assert {path.split("/")[-3] for path in splits["val"].paths} == {"val"}


def test_a_class_may_have_the_name_of_a_split(tmp_path: Path) -> None:
    write_photos(tmp_path, 2, {"train": 60, "plane": 180})
    assert find_files(tmp_path)[0] == ("plane", "train")


def test_a_folder_that_has_no_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"there is no folder {tmp_path}/photos: --data.root names one that"):
        find_files(tmp_path / "photos")
    with pytest.raises(UserError, match=f"{tmp_path} needs a sub-folder for each of two or more classes, and has none"):
        find_files(tmp_path)
    write_photos(tmp_path, 2, {"cat": 60})
    with pytest.raises(UserError, match="two or more classes, and has cat alone"):
        find_files(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(UserError, match=f"there is no image in {tmp_path}/dog"):
        find_files(tmp_path)


@pytest.mark.parametrize("split", ["val", "test"])
def test_other_classes_than_those_of_the_training_images_are_refused(split: str, tmp_path: Path) -> None:
    write_photos(tmp_path / "train", 2, {"cat": 60, "dog": 180})
    write_photos(tmp_path / split, 2, {"cat": 60, "horse": 180})
    different = (
        f"{tmp_path}/train and {tmp_path}/{split} have different classes: only train has dog, only {split} has horse"
    )
    with pytest.raises(UserError, match=different):
        find_files(tmp_path)


def test_folders_that_are_no_splits_are_refused(tmp_path: Path) -> None:
    write_photos(tmp_path / "test", 2)
    with pytest.raises(UserError, match=f"there is no folder {tmp_path}/train with a sub-folder for each class beside"):
        find_files(tmp_path)
    write_photos(tmp_path / "train", 2)
    write_photos(tmp_path / "valid", 2)
    with pytest.raises(UserError, match=f"{tmp_path}/valid is no train, val or test with a sub-folder for each class"):
        find_files(tmp_path)
    (tmp_path / "valid").rename(tmp_path / ".valid")
    write_photos(tmp_path / "val", 2, {})
    (tmp_path / "val").mkdir()
    with pytest.raises(UserError, match=f"{tmp_path}/val is no train, val or test with a sub-folder for each class"):
        find_files(tmp_path)


def test_splits_of_other_names_are_not_taken_for_classes(tmp_path: Path) -> None:
    for name in ("Train", "Test"):
        write_photos(tmp_path / name, 2)
    with pytest.raises(
        UserError, match=f"^Test, Train in {tmp_path} have the same sub-folders: name splits train, val"
    ):
        find_files(tmp_path)


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match=rf"can't look into {tmp_path} \(Permission denied\)"):
        find_files(tmp_path)
