from pathlib import Path

import pytest

from classifiers.experiment.errors import UserError
from classifiers.experiment.files import output_file, write_whole


def test_the_text_replaces_the_file_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    for text in ("first\n", "second\n"):
        write_whole(tmp_path / "x.json", text)
        assert (tmp_path / "x.json").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_an_output_file_makes_its_folder_and_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with output_file(tmp_path / "new/x.csv", "another --csv") as file:
        file.write(b"half")
        assert not (tmp_path / "new/x.csv").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.csv"]


def test_an_output_file_that_cannot_be_written_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(
            UserError, match=r"^can't write .*/file/x\.csv \((Not a directory|File exists)\): give another --csv$"
        ),
        output_file(tmp_path / "file/x.csv", "another --csv"),
    ):
        pass
