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
    names, splits, left_out = find_files(root)
    assert (names, splits.keys()) == (("dark", "light"), {"train"})
    assert left_out == {".txt": 1, "beside the folders": 1}
    found = [str(Path(path).relative_to(root)) for path in splits["train"].paths]
    assert found == ["dark/000.png", "dark/001.jpg", "dark/002.webp", "light/001.jpg", "light/002.webp",
                     "light/deeper/x.PNG"]  # fmt: skip
    assert splits["train"].names == ["000.png", "001.jpg", "002.webp", "001.jpg", "002.webp", "deeper/x.PNG"]
    assert splits["train"].labels.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    "folders", ["train val test", "Training VALID testing", "trn dev Tst", "TRAIN validation Test"]
)
def test_parts_have_their_folders_by_any_usual_name(folders: str, tmp_path: Path) -> None:
    for count, folder in enumerate(folders.split(), 2):
        write_photos(tmp_path / folder, count)
    names, parts, _ = find_files(tmp_path)
    assert names == ("dark", "light")
    assert {part: files.labels.bincount().tolist() for part, files in parts.items()} == {
        "train": [2, 2],
        "val": [3, 3],
        "test": [4, 4],
    }
    assert {path.split("/")[-3] for path in parts["val"].paths} == {folders.split()[1]}


def test_parts_with_other_classes_are_no_classes(tmp_path: Path) -> None:
    write_photos(tmp_path / "training", 2, {"a": 60, "b": 90, "c": 180})
    write_photos(tmp_path / "testing", 2, {"a": 60, "b": 90})
    with pytest.raises(UserError, match=f"{tmp_path}/training and {tmp_path}/testing have different classes: only"):
        find_files(tmp_path)


def test_a_part_has_one_folder(tmp_path: Path) -> None:
    write_photos(tmp_path / "train", 2)
    write_photos(tmp_path / "Training", 2)
    with pytest.raises(UserError, match=f"Training and train in {tmp_path} are both of the part train: give it one"):
        find_files(tmp_path)


def test_a_class_may_not_have_the_name_of_a_part(tmp_path: Path) -> None:
    write_photos(tmp_path, 2, {"train": 60, "plane": 180})
    with pytest.raises(UserError, match=f"{tmp_path}/plane is no part, as others beside it are: name parts train, val"):
        find_files(tmp_path)
    (tmp_path / "plane").rename(tmp_path / "Test")
    with pytest.raises(UserError, match=f"{tmp_path}/train needs a sub-folder for each of two or more classes, and"):
        find_files(tmp_path)


def test_what_holds_folders_alone_is_no_class(tmp_path: Path) -> None:
    write_photos(tmp_path / "one", 2)
    write_photos(tmp_path / "two", 2, {"cat": 60, "dog": 180})
    with pytest.raises(UserError, match=f"^{tmp_path}/one holds folders and no image, and so may be no class: name"):
        find_files(tmp_path)


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


def test_parts_need_one_to_train_on(tmp_path: Path) -> None:
    write_photos(tmp_path / "test", 2)
    with pytest.raises(UserError, match=f"there is no folder {tmp_path}/train with a sub-folder for each class beside"):
        find_files(tmp_path)


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(UserError, match=rf"can't look into {tmp_path} \(Permission denied\)"):
        find_files(tmp_path)


def test_a_stray_file_makes_no_class_of_a_part(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_photos(tmp_path / name, 2)
        (tmp_path / name / "Thumbs.db").touch()
    with pytest.raises(UserError, match=f"^{tmp_path}/one holds folders and no image"):
        find_files(tmp_path)


def test_what_lies_beside_classes_or_parts_is_counted(tmp_path: Path) -> None:
    write_photos(tmp_path / "train", 2)
    write_photos(tmp_path, 2, {"@eels": 60})
    (tmp_path / "x.jpg").touch()
    assert find_files(tmp_path)[2] == {"beside the folders": 1, "hidden": 2}


def test_a_class_that_is_a_lost_link_is_one_line(tmp_path: Path) -> None:
    write_photos(tmp_path, 2)
    (tmp_path / "lost").symlink_to("/nowhere/lost")
    with pytest.raises(UserError, match=f"^{tmp_path}/lost is a link to what isn't there: mend it, or take it away$"):
        find_files(tmp_path)
