import errno
import os
import sys
from pathlib import Path

import pytest
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch._utils import ExceptionWrapper

from classifiers.experiment.errors import UserError, reported


@pytest.mark.parametrize("mistake", [UserError("too\nsmall"), MisconfigurationException("too small")])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_users_mistake_is_one_line(mistake: Exception, wrapped: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        if wrapped:
            raise ValueError("tried:\n- this\n- that") from mistake
        raise mistake

    with pytest.raises(SystemExit) as exit_info, reported():
        fail()
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == "error: too small\n"


def test_what_a_terminal_would_obey_is_spelt(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), reported():
        raise UserError("there is no file \x1b[2J\udcff.png")
    assert capsys.readouterr().err == "error: there is no file \\x1b[2J\\xff.png\n"


def test_a_full_disk_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info, reported():
        raise OSError(errno.ENOSPC, "No space left on device", "x")
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == "error: [Errno 28] No space left on device: 'x'\n"


BETWEEN_LAYERS = RuntimeError("expected input[8, 16, 14, 14] to have 32 channels, but got 16 channels instead")


@pytest.mark.parametrize("mistake", [ZeroDivisionError, OSError(errno.EBADF, "Bad file descriptor"), BETWEEN_LAYERS])
def test_a_programmers_mistake_keeps_its_traceback(mistake: Exception) -> None:
    with pytest.raises((ZeroDivisionError, OSError, RuntimeError)), reported():
        raise mistake


def test_a_label_that_a_gpu_refuses_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), reported():
        raise RuntimeError("CUDA error: device-side assert triggered\nFor debugging, …")
    assert "error: an index out of range, as of a label that the net has no output for; " in capsys.readouterr().err


def test_of_a_mistake_that_a_worker_found_its_own_line_is_told() -> None:
    def fail() -> None:
        raise UserError("x.png can't be read")

    try:
        fail()
    except UserError:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(UserError) as error:
        wrapped.reraise()
    assert str(error.value).strip() == "x.png can't be read"


def test_a_reader_that_has_had_enough_ends_the_program_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as exit_info, reported():
            raise BrokenPipeError
        assert Path(f"/dev/fd/{out.fileno()}").samefile(os.devnull)  # so that what is left unwritten does no harm
    assert exit_info.value.code == 1
    assert capsys.readouterr().err == ""
