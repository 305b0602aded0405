from pathlib import Path

import pytest
import yaml

from classifiers.experiment.runs.history import read_history
from tests.conftest import Cli

SEARCHES = {
    "LearningRateFinder": ["--model.optimizer=SGD", "--model.lr_scheduler=OneCycle", "--trainer.callbacks.min_lr=1e-3"],
    "BatchSizeFinder": ["--model.lr_scheduler=OneCycle", "--trainer.callbacks.max_val=100"],
}


def config(run: Path) -> dict:
    return dict(yaml.safe_load((run / "config.yaml").read_text()))


@pytest.mark.parametrize("finder", SEARCHES)
def test_a_fit_after_a_search_is_as_if_what_it_found_had_been_given(
    fit: Cli, finder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = SEARCHES[finder]
    searched = fit(f"--trainer.callbacks+={finder}", *options)
    out = capsys.readouterr().out
    settings = config(searched)
    if finder == "LearningRateFinder":
        found = settings["model"]["optimizer"]["init_args"]["lr"]
        assert f"LearningRateFinder: --model.optimizer.lr {found:.3g}\n" in out
        given = f"--model.optimizer.lr={found}"
    else:
        assert settings["data"]["init_args"]["batch_size"] == 128
        assert "BatchSizeFinder: --data.batch_size 128\n" in out
        given = "--data.batch_size=128"
    assert settings["trainer"]["callbacks"] is None
    told = fit(*[option for option in options if "callbacks" not in option], given)
    assert read_history(told) == read_history(searched)
    assert config(told) == settings
