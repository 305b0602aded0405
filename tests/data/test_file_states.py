import os
from pathlib import Path

from classifiers.data.file_paths import FilePaths
from classifiers.data.file_states import FileStates


def states(folder: Path, *names: str) -> FileStates:
    return FileStates.of(FilePaths.of(str(folder), names))


def test_changes_are_counted_by_their_kind(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).write_text(name)
    before = states(tmp_path, *"abcd")
    assert states(tmp_path, *"abcd").changes(before) == ""
    assert states(tmp_path, *"abcd").digest("1") == before.digest("1") != before.digest("2")
    (tmp_path / "b").write_text("longer")
    os.utime(tmp_path / "c", ns=(0, 1))
    after = states(tmp_path, *"bcde")
    assert after.changes(before) == "1 new, 1 gone, 2 changed"
    assert [places.tolist() for places in after.unchanged(before)] == [[2], [3]]
    assert after.digest("1") != before.digest("1")


def test_a_file_that_is_not_there_has_a_state_too(tmp_path: Path) -> None:
    found = states(tmp_path, "a")
    assert (found.sizes.tolist(), found.times.tolist()) == ([-1], [0])
    (tmp_path / "a").touch()
    assert states(tmp_path, "a").changes(found) == "1 changed"
