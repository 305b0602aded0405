import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna import Study
from optuna.exceptions import StorageInternalError
from sqlalchemy import Engine, event

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from classifiers.experiment.studies import study, trials
from tests.scripts.sweeps.conftest import SPACE, Sweep

FILE = "sqlite:///TMP/x.db"


def open_in(folder: Path) -> Study:
    return study.open_study(f"sqlite:///{folder}/study.db", "space", BestCheckpoint(), {}, {}, "none")


def no_database(path: Path) -> None:
    path.write_text("not a database, but long enough to look like one " * 50)


def foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE shirts (size INTEGER)")
    connection.close()


@pytest.mark.parametrize(
    ("make", "url", "line"),
    [
        (no_database, FILE, f"the database {FILE} can't be used: file is not a database"),
        (foreign_database, FILE, f"the database {FILE} is of something else: it has a table shirts"),
        (Path.mkdir, FILE, f"the database {FILE} can't be used: unable to open database file"),
        (Path.touch, "my.db", "the database my.db can't be used: Could not parse SQLAlchemy URL from"),
        (Path.touch, "nosql://me:secret@host/x", "the database host/x can't be used: Can't load plugin: sqlalchemy."),
    ],
)
def test_a_database_of_no_use_is_one_line_and_left_as_it_is(
    make: Callable[[Path], None], url: str, line: str, sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1", f"--storage={url.replace('TMP', str(tmp_path))}")
    assert exit_info.value.code == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {line.replace('TMP', str(tmp_path))}")
    assert "secret" not in printed
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_locked_database_and_a_study_of_another_space_are_one_line(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep("--trials=1")
    monkeypatch.setattr(study, "LOCKED", 0)
    database = tmp_path / "sweeps/space/study.db"
    connection = sqlite3.connect(database)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SystemExit):
        sweep("--trials=2")
    assert capsys.readouterr().err == f"error: the database sqlite:///{database} can't be used: database is locked\n"
    connection.close()
    with pytest.raises(SystemExit):
        sweep("--trials=2", "--best_checkpoint.monitor=val/loss")
    assert capsys.readouterr().err.startswith(
        "error: the study space is of another space or monitor: name another with --"
    )
    with pytest.raises(SystemExit):
        sweep("--trials=2", "--trainer.max_epochs=1", "--trainer.devices=2")
    other = "error: the study space is of other settings (trainer.max_epochs 2, not 1): name another with --study\n"
    assert capsys.readouterr().err == other
    (tmp_path / "space.yaml").write_text(SPACE.replace("1e-4", "1e-3"))
    with pytest.raises(SystemExit):
        sweep("--trials=2")
    assert capsys.readouterr().err.startswith(
        "error: the study space is of another space or monitor: name another with --"
    )


def test_two_processes_may_make_its_tables_at_once(tmp_path: Path) -> None:
    begun, opened = [], []

    def open_it() -> None:
        opened.append(open_in(tmp_path))

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "CREATE TABLE studies" in statement and not begun:
            begun.append(statement)
            open_it()

    event.listen(Engine, "before_cursor_execute", meanwhile)
    with study.database_errors(""):
        open_it()
    event.remove(Engine, "before_cursor_execute", meanwhile)
    assert [one.study_name for one in opened] == ["space", "space"]


def test_two_processes_never_take_the_same_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "LOCKED", 0)
    monkeypatch.setattr(study, "HEARTBEAT", None)  # as `ask` wants none
    with study.database_errors(""):
        one, other = open_in(tmp_path), open_in(tmp_path)
        for size in (16, 32):
            one.enqueue_trial({"size": size})
    refused: list[str] = []

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE trials"):
            with pytest.raises(StorageInternalError) as exc_info:
                other.ask()
            refused.append(str(exc_info.value.__cause__))

    event.listen(one._storage._backend.engine, "before_cursor_execute", meanwhile)  # type: ignore[attr-defined]
    assert one.ask().number == 0
    assert [text.splitlines()[0] for text in refused] == ["(sqlite3.OperationalError) database is locked"]
    assert other.ask().number == 1


def test_a_database_lost_in_a_trial_is_one_line(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "sweeps/space/study.db"
    monkeypatch.setattr(study, "HEARTBEAT", None)  # which might be writing at that moment
    monkeypatch.setattr(trials.Trials, "_try", lambda self, trial: database.write_bytes(b"no database " * 1000))
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1")
    assert exit_info.value.code == 2
    line = f"error: the database sqlite:///{database} can't be used: file is not a database\n"
    assert capsys.readouterr().err == line


def test_a_sign_of_life_outlives_a_lost_database(tmp_path: Path) -> None:
    with study.database_errors(""):
        storage = study._storage(f"sqlite:///{tmp_path}/study.db")
    no_database(tmp_path / "study.db")
    with pytest.raises(StorageInternalError):
        storage.get_all_studies()
    storage.record_heartbeat(1)
