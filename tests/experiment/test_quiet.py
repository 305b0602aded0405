import pytest

from tests.conftest import Cli

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
