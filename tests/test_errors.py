import subprocess
import sys

import pytest
from lightning.fabric.utilities.exceptions import MisconfigurationException

from classifiers.errors import UserError, reported


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


def test_a_programmers_mistake_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), reported():
        raise ZeroDivisionError


def test_a_reader_that_has_had_enough_ends_the_program_quietly() -> None:
    program = "from classifiers.errors import reported\nwith reported():\n    while True: print('more')"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"more\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
