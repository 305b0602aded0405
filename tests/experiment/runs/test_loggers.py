import contextlib
import os
from pathlib import Path

import pytest

from classifiers.experiment.errors import UserError
from classifiers.experiment.quiet import quiet
from classifiers.experiment.runs.event_file import EventFile
from classifiers.experiment.runs.loggers import MetricsCSV
from tests.conftest import Cli

FULL = r" \(No space left on device\): make room, then go on with --resume$"


def test_rows_are_appended_and_new_metrics_add_columns(tmp_path: Path) -> None:
    logger = MetricsCSV(tmp_path)
    logger.log_metrics({"train/loss": 2.5, "epoch": 0}, step=49)
    logger.log_metrics({"train/loss": 1.5, "epoch": 0}, step=99)
    assert (tmp_path / "metrics.csv").read_text() == "epoch,step,train/loss\n0,49,2.5\n0,99,1.5\n"
    logger.log_metrics({"val/acc": 0.5, "epoch": 0}, step=99)
    expected = "epoch,step,train/loss,val/acc\n0,49,2.5,\n0,99,1.5,\n0,99,,0.5\n"
    assert (tmp_path / "metrics.csv").read_text() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


@pytest.mark.parametrize("cut", ["1,", "1"])
def test_a_resumed_file_keeps_the_rows_before_its_step(cut: str, tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text(f"epoch,step,train/loss,val/acc\n0,5,2.5,\n0,5,,0.5\n1,6,1.5,\n{cut}")  # killed in the last row
    MetricsCSV(tmp_path, step=6).log_metrics({"train/loss": 1.25, "epoch": 1}, step=6)
    assert file.read_text() == "epoch,step,train/loss,val/acc\n0,5,2.5,\n0,5,,0.5\n1,6,1.25,\n"
    logger = MetricsCSV(tmp_path)
    assert file.read_text() == ""
    logger.log_metrics({"val/acc": 0.5, "epoch": 0}, step=5)
    assert file.read_text() == "epoch,step,val/acc\n0,5,0.5\n"


def test_a_logger_that_wrote_nothing_makes_no_file(tmp_path: Path) -> None:
    EventFile(tmp_path / "run").finalize("failed")
    assert list(tmp_path.iterdir()) == []


def test_one_event_file_holds_the_fit_and_its_test(tmp_path: Path) -> None:
    logger = EventFile(tmp_path)
    logger.log_metrics({"val/acc": 0.5}, step=0)
    logger.save()
    logger.finalize("success")
    logger.log_metrics({"test/acc": 0.5}, step=0)
    logger.finalize("success")
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("events.out.tfevents.")
    content = file.read_bytes()
    assert b"val/acc" in content
    assert b"test/acc" in content
    logger.experiment.close()


def test_a_row_for_which_there_is_no_room_leaves_the_others(small_disk: Path) -> None:
    logger = MetricsCSV(small_disk)
    logger.log_metrics({"loss": 0.5}, step=0)
    while logger.path.stat().st_size < 4080:  # of a page of 4096
        logger.log_metrics({"loss": 0.5}, step=1)
    before = logger.path.read_bytes()
    left = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(bytes(left.f_bavail * left.f_frsize))
    with pytest.raises(UserError, match=f"^can't write {logger.path}{FULL}"):
        logger.log_metrics({"loss": 1 / 3}, step=2)
    assert logger.path.read_bytes() == before


def test_events_for_which_there_is_no_room_are_one_line(small_disk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logger = EventFile(small_disk)
    with quiet():
        with contextlib.suppress(UserError):  # by then, its thread may have failed or not
            logger.log_metrics({"x" * 300_000: 0.5})
        with pytest.raises(UserError, match=rf"^can't write {small_disk}/events.out.tfevents.\*{FULL}"):
            logger.save()
        logger.finalize("failed")
    assert capfd.readouterr().err == ""


def test_callbacks_that_ask_in_setup_find_loggers(fit: Cli) -> None:
    run = fit("--trainer.callbacks+=DeviceStatsMonitor", "--trainer.callbacks.cpu_stats=true")
    assert "DeviceStatsMonitor.on_train_batch_start/cpu_percent" in (run / "metrics.csv").read_text().splitlines()[0]
