from pathlib import Path

import numpy as np
import torch

from classifiers.data.class_folders import find_files
from classifiers.data.files import Files
from tests.photos import write_photos


def test_files_at_one_index_are_files(tmp_path: Path) -> None:
    files = find_files(write_photos(tmp_path / "photos", 2))[1]["train"]
    one = files[torch.tensor([3])]
    assert (one.paths.shape, one.names.tolist(), len(one + files)) == ((1,), ["001.jpg"], 5)


def test_files_of_one_name_and_length_are_told_apart_by_their_content(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.bmp").write_bytes(name.encode() * 50_000)
    files = Files(
        np.array([str(tmp_path / f"{n}/1.bmp") for n in "xyx"]), np.array(["1.bmp"] * 3), torch.zeros(3).long()
    )
    known = files.identities(["cat"])
    assert known[0] == known[2] != known[1]
