"""A sweep of a small net, whose fits are forked from a process that has imported all."""

import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna import Study

from classifiers.experiment.paths import project_root
from classifiers.experiment.studies import fitting, study, trials
from tests.conftest import SMALL, Script
from tests.processes import FORKS

SPACE = """
model.optimizer.lr: {low: 1e-4, high: 1e-1, log: true}
model.net.hidden: {choices: [[4], [8, 8]]}
"""
LONG = "--trainer.max_epochs=100"
Sweep = Callable[..., str]


def sweep_in_this_process(arguments: Sequence[str]) -> None:
    """The script, but its fits are forked from a process that has imported all, and the dead are soon given up."""
    fitting.PROCESSES, study.HEARTBEAT, study.DEAD = FORKS, 1, 10  # type: ignore[assignment]
    trials.DEAD = study.DEAD
    script = str(project_root() / "scripts/sweep.py")
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "space.yaml").write_text(SPACE)
    return [f"--space={tmp_path / 'space.yaml'}", f"--trainer.default_root_dir={tmp_path}", *SMALL]


@pytest.fixture
def sweep(arguments: list[str], script: Script, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.setattr(fitting, "PROCESSES", FORKS)
    return lambda *more: script("sweep.py", *arguments, *more)


@pytest.fixture
def load(tmp_path: Path) -> Callable[[], Study]:
    def load() -> optuna.Study:
        url, closing = f"sqlite:///{tmp_path}/sweeps/space/study.db", {"poolclass": sqlalchemy.NullPool}
        return optuna.load_study(study_name="space", storage=optuna.storages.RDBStorage(url, closing))

    return load


def states(study: Study) -> list[str]:
    return [trial.state.name for trial in study.trials]
