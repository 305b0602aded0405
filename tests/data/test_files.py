from pathlib import Path

import torch

from classifiers.data.class_folders import find_files
from classifiers.data.file_paths import FilePaths
from classifiers.data.files import Files
from tests.photos import write_photos


def test_files_at_one_index_are_files(tmp_path: Path) -> None:
    files = find_files(write_photos(tmp_path / "photos", 2))[1]["train"]
    one = files[torch.tensor([3])]
    assert (list(one.paths), one.names, len(one + files)) == ([f"{tmp_path}/photos/light/001.jpg"], ["001.jpg"], 5)


def test_files_of_one_name_and_length_are_told_apart_by_their_content(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.bmp").write_bytes(name.encode() * 50_000)
    files = Files(FilePaths.of(str(tmp_path), [f"{name}/1.bmp" for name in "xyx"]), torch.zeros(3).long(), 1)
    known = files.identities(["cat"])
    assert known[0] == known[2] != known[1]
