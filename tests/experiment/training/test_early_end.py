import pytest

from tests.conftest import Cli

STOPS = {
    "--trainer.max_steps=3": "stopped in epoch 1 of 5, after step 3: max_steps 3 are made",
    "--trainer.max_time=00:00:00:00": "stopped in epoch 0 of 5, after step 0: max_time 00:00:00:00 is over",
    "--trainer.callbacks+=EarlyStopping --trainer.callbacks.monitor=val/loss --trainer.callbacks.patience=1 "
    "--trainer.callbacks.min_delta=9": (
        "stopped in epoch 2 of 5, after step 12: EarlyStopping saw no better val/loss in a validation"
    ),
    "--trainer.callbacks+=EarlyStopping --trainer.callbacks.monitor=val/acc --trainer.callbacks.mode=max "
    "--trainer.callbacks.stopping_threshold=-1": "stopped in epoch 1 of 5, after step 6: Stopping threshold reached",
}


@pytest.mark.parametrize("options", STOPS)
def test_an_early_end_is_told(fit: Cli, options: str, capsys: pytest.CaptureFixture[str]) -> None:
    fit("--trainer.max_epochs=5", *options.split())
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("stopped")]
    assert line.startswith(STOPS[options])


@pytest.mark.parametrize("options", ["--trainer.max_steps=12", "--trainer.max_epochs=-1 --trainer.max_steps=3"])
def test_an_end_as_asked_is_not(fit: Cli, options: str, capsys: pytest.CaptureFixture[str]) -> None:
    fit("--model.lr_scheduler=null", *options.split())
    assert "stopped" not in capsys.readouterr().out
