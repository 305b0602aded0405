import warnings

import pytest

from classifiers.experiment.quiet import quiet
from tests.conftest import Cli


@pytest.mark.parametrize("told", ["GPU available but not used. You can set it by doing …", "something is wrong"])
def test_of_a_gpu_that_was_not_asked_for_nothing_is_said(told: str) -> None:
    with warnings.catch_warnings(record=True, action="always") as heard, quiet():
        warnings.warn(told, stacklevel=1)
    assert [str(warning.message) for warning in heard] == [told] * told.startswith("something")


STOP = ["--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=val/loss"]


def lines(capsys: pytest.CaptureFixture[str], start: str) -> int:
    out, err = capsys.readouterr()
    assert not [line for line in err.splitlines() if not line.startswith("Seed set to")]
    return sum(line.startswith(start) for line in out.splitlines())


@pytest.mark.parametrize("verbose", [True, False])
def test_what_verbose_callbacks_tell_is_heard(fit: Cli, verbose: bool, capsys: pytest.CaptureFixture[str]) -> None:
    fit(*STOP, f"--trainer.callbacks.verbose={verbose}".lower())
    assert lines(capsys, "Metric val/loss improved") == (2 if verbose else 0)


def test_so_is_what_they_tell_of_checkpoints_and_of_the_model(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    fit(
        "--trainer.callbacks+=ModelCheckpoint", "--trainer.callbacks.monitor=val/loss",
        "--trainer.callbacks.verbose=true", "--trainer.callbacks+=ModelSummary",
    )  # fmt: skip
    out = capsys.readouterr().out
    assert out.count("'val/loss' reached") == 2
    assert "Total params" in out
