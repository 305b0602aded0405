import hashlib
import os
import signal
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from classifiers.data.official_files import Source, ensure_files
from classifiers.experiment.errors import UserError
from tests.processes import FORKS

CONTENT = {"a": b"first file", "b": b"second file"}
MD5S = {name: hashlib.md5(content).hexdigest() for name, content in CONTENT.items()}


def copy(names: Sequence[str], into: Path) -> None:
    for name in names:
        (into / name).write_bytes(CONTENT[name])


def refuse(names: Sequence[str], into: Path) -> None:
    raise AssertionError("asked for what is there")


def fail(names: Sequence[str], into: Path) -> None:
    (into / "a").write_bytes(b"first fi")
    raise OSError("the line\nbroke")


def lie(names: Sequence[str], into: Path) -> None:
    for name in names:
        (into / name).write_bytes(b"something else")


def half(names: Sequence[str], into: Path) -> None:
    copy(["a"], into)


def ensure(folder: Path, *fetches: object) -> None:
    sources = [Source(fetch.__name__, fetch) for fetch in fetches]  # type: ignore[attr-defined, arg-type]
    ensure_files(folder, MD5S, sources, "By hand: so.")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_missing_files_come_from_the_first_source_that_has_them(tmp_path: Path) -> None:
    ensure(tmp_path / "raw", fail, lie, half, copy, refuse)
    assert content(tmp_path / "raw") == CONTENT


def test_whole_files_are_left_alone(tmp_path: Path) -> None:
    ensure(tmp_path / "raw", copy)
    ensure(tmp_path / "raw", refuse)


def test_complete_files_need_no_writable_folder(tmp_path: Path) -> None:
    ensure(tmp_path / "raw", copy)
    (tmp_path / ".lock").unlink()
    (tmp_path / "raw").chmod(stat.S_IRUSR | stat.S_IXUSR)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        ensure(tmp_path / "raw", refuse)
        assert not (tmp_path / ".lock").exists()
    finally:
        tmp_path.chmod(stat.S_IRWXU)
        (tmp_path / "raw").chmod(stat.S_IRWXU)


@pytest.mark.parametrize("damage", [b"", b"first fil", b"first filE", b"first file and more"])
def test_a_damaged_file_is_fetched_again(tmp_path: Path, damage: bytes) -> None:
    ensure(tmp_path / "raw", copy)
    (tmp_path / "raw" / "a").write_bytes(damage)
    asked: list[str] = []

    def fetch(names: Sequence[str], into: Path) -> None:
        asked.extend(names)
        copy(names, into)

    ensure(tmp_path / "raw", fetch)
    assert asked == ["a"]
    assert content(tmp_path / "raw") == CONTENT


def test_when_all_sources_fail_the_error_says_what_was_tried_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        ensure(tmp_path / "new" / "raw", fail, lie)
    assert str(error.value) == (
        f"{tmp_path}/new/raw lacks a, b. Tried: fail (the line broke); lie (not the official files). By hand: so."
    )
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"can't write to .*/file/raw \(Not a directory\): name another with"):
        ensure(tmp_path / "file" / "raw", copy)


def kill_myself_half_way(names: Sequence[str], into: Path) -> None:
    copy(["a"], into)
    (into / "b").write_bytes(b"second")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_fetch_leaves_nothing_broken(tmp_path: Path) -> None:
    process = FORKS.Process(target=ensure, args=(tmp_path / "raw", kill_myself_half_way))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "raw").iterdir()] == [".partial"]
    ensure(tmp_path / "raw", copy)
    assert content(tmp_path / "raw") == CONTENT


def copy_and_note(names: Sequence[str], into: Path) -> None:
    with (into.parent.parent / "fetches").open("a") as file:
        file.write("".join(names))
    copy(names, into)


def test_processes_at_the_same_root_fetch_once(tmp_path: Path) -> None:
    processes = [FORKS.Process(target=ensure, args=(tmp_path / "raw", copy_and_note)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "fetches").read_text() == "ab"
    assert content(tmp_path / "raw") == CONTENT
