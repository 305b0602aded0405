from pathlib import Path

import pytest

from classifiers.cli import ClassifierCLI
from classifiers.experiment.studies import fitting as module
from classifiers.experiment.studies.fitting import fitting
from tests.conftest import SMALL
from tests.processes import FORKS


@pytest.fixture(autouse=True)
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROCESSES", FORKS)


def test_values_come_from_the_new_run_alone(tmp_path: Path) -> None:
    runs = []
    for epochs in (1, 2):
        with fitting(ClassifierCLI, [*SMALL, f"--trainer.max_epochs={epochs}"], tmp_path, "shirts/a") as fit:
            assert len(list(fit.values("val/acc"))) == fit.max_epochs == epochs
        assert fit.failure() == ""
        runs.append(fit.run)
    assert sorted(path for path in (tmp_path / "shirts/a").iterdir() if path.is_dir()) == sorted(runs)  # type: ignore


def test_a_fit_is_stopped_in_order_where_its_block_ends(tmp_path: Path) -> None:
    with fitting(ClassifierCLI, [*SMALL, "--trainer.max_epochs=100000"], tmp_path, "shirts") as fit:
        next(fit.values("val/acc"))
    assert fit.process.exitcode == 143
    assert fit.failure().startswith("Stopped before step ")


def test_the_last_line_of_a_fit_that_fails_says_why(tmp_path: Path) -> None:
    with fitting(ClassifierCLI, [*SMALL, "--model.net=MLPP"], tmp_path, "shirts") as fit:
        assert list(fit.values("val/acc")) == []
    assert (fit.failure(), fit.run) == ("model.net: there is no class MLPP: did you mean MLP?", None)
