import re
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna import Study, Trial
from optuna.trial import TrialState, create_trial

from classifiers.cli import ClassifierCLI
from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from classifiers.experiment.studies import trials
from classifiers.experiment.studies.space import Space
from classifiers.experiment.studies.study import database_errors
from tests.processes import start
from tests.scripts.sweeps.conftest import LONG, Sweep, states, sweep_in_this_process


@pytest.fixture
def work(arguments: list[str], tmp_path: Path) -> trials.Trials:
    """One trial is to be done, of a study in memory."""
    space = Space(tmp_path / "space.yaml")
    return trials.Trials(
        ClassifierCLI, optuna.create_study(), space, arguments, BestCheckpoint(), tmp_path / "sweep", many=1
    )


@pytest.mark.slow
def test_a_poor_trial_is_pruned_in_order(sweep: Sweep, load: Callable[[], Study], tmp_path: Path) -> None:
    sweep("--trials=1", LONG)
    (first,) = load().trials
    steps = dict.fromkeys(range(1000), 2.0)  # no accuracy is as good
    unbeaten = create_trial(
        params=first.params,
        distributions=first.distributions,
        value=2.0,
        intermediate_values=steps,
        user_attrs={"run": "", "reached": {"val/acc": 2.0}},
    )
    load().add_trials([unbeaten] * 5)
    printed = sweep("--trials=7", LONG)
    assert states(load()) == ["COMPLETE"] * 6 + ["PRUNED"]
    assert "6 finished, 1 pruned, 0 failed" in printed
    assert "last.ckpt" in (tmp_path / "sweeps/space/trial-6/log.txt").read_text()
    assert list(tmp_path.glob("sweeps/space/trial-6/*/checkpoints/last.ckpt"))


def test_a_trial_that_is_killed_fails_alone(sweep: Sweep, load: Callable[[], Study], tmp_path: Path) -> None:
    kill = ["--trainer.callbacks+=tests.instruments.Kill", "--trainer.callbacks.hook=on_train_epoch_end"]
    kill += ["--trainer.callbacks.step=1", f"--trainer.callbacks.once={tmp_path / 'once'}"]
    printed = sweep("--trials=2", *kill)
    assert states(load()) == ["FAIL", "COMPLETE"]
    assert "trial-0 failed, it ended with exit code -9: lr=" in printed
    assert "1 finished, 0 pruned, 1 failed" in printed


def test_a_diverged_trial_fails_alone(
    sweep: Sweep, load: Callable[[], Study], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.yaml").write_text("model.optimizer.lr: {low: 1e30, high: 1e31}")
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1")
    assert exit_info.value.code == 2
    why = f"no trial finished: {tmp_path}/sweeps/space/trial-*/log.txt tells why"
    assert capsys.readouterr().err == f"error: {why}\n"
    assert load().trials[0].user_attrs["failure"].startswith("the loss at step ")


@pytest.mark.slow
def test_a_killed_sweep_leaves_no_fit_behind_and_others_do_its_trial_once(
    arguments: list[str], load: Callable[[], Study], tmp_path: Path
) -> None:
    arguments += [LONG, "--trials=3", "--trainer.callbacks+=tests.instruments.KillParent"]
    arguments += [f"--trainer.callbacks.once={tmp_path / 'once'}"]
    assert start(tmp_path / "a", *arguments, program=sweep_in_this_process).wait() == -9
    assert states(load()) == ["RUNNING"]
    sweeps = [start(tmp_path / name, *arguments, program=sweep_in_this_process) for name in "bc"]
    assert [running.wait() for running in sweeps] == [0, 0], [running.err for running in sweeps]
    done = [trial for trial in load().trials if trial.state == TrialState.COMPLETE]
    assert len(done) == 3
    told = [number for running in sweeps for number in re.findall(r"^trial-(\d+) finished", running.out, re.MULTILINE)]
    assert sorted(map(int, told)) == [trial.number for trial in done]
    tables = [running.out[running.out.index("trials in ") :] for running in sweeps]
    assert tables[0] == tables[1]
    assert "3 finished, 0 pruned, 0 failed" in tables[0]
    assert load().trials[0].state == TrialState.FAIL
    assert load().trials[0].params in [trial.params for trial in done]
    assert "Stopped before step" in (tmp_path / "sweeps/space/trial-0/log.txt").read_text()


@pytest.mark.slow
def test_of_two_that_take_the_last_trial_at_once_one_steps_back(work: trials.Trials, tmp_path: Path) -> None:
    work.study.ask()
    work.study.optimize(work._try, n_trials=1)
    assert states(work.study) == ["RUNNING", "FAIL"]
    assert [trial.number for trial in work.counted()] == [0]
    assert not (tmp_path / "sweep").exists()


def test_a_trial_that_died_before_its_first_sign_of_life_is_made_up_for(
    work: trials.Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.study.ask()
    assert len(work.counted()) == 1
    monkeypatch.setattr(trials, "DEAD", -1)
    assert work.counted() == []


def test_a_trial_that_others_gave_up_is_left_to_them(
    work: trials.Trials, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def slept(self: trials.Trials, trial: Trial) -> float:
        if trial.number == 0:
            self.study.tell(trial.number, state=TrialState.FAIL)
        return 0.5

    monkeypatch.setattr(trials.Trials, "_try", slept)
    with database_errors(""):
        work.work_off()
    assert states(work.study) == ["FAIL", "COMPLETE"]
    given_up, done = capsys.readouterr().out.splitlines()
    assert given_up == "a trial showed no life for 60 seconds, so that others took it for dead and do it again"
    assert done.startswith("trial-1 finished, val/acc 50.00%")


@pytest.mark.slow
def test_a_stopped_sweep_stops_its_fit_and_puts_it_back(
    arguments: list[str], load: Callable[[], Study], tmp_path: Path
) -> None:
    stop = [LONG, "--trainer.callbacks+=tests.instruments.KillParent", "--trainer.callbacks.number=15"]
    stop += [f"--trainer.callbacks.once={tmp_path / 'once'}"]
    stopped = start(tmp_path / "a", *arguments, "--trials=1", *stop, program=sweep_in_this_process)
    assert stopped.wait() == 130
    assert stopped.err == "stopped: finished trials are kept, the same command goes on with the rest\n"
    assert "Stopped before step" in (tmp_path / "sweeps/space/trial-0/log.txt").read_text()
    assert states(load()) == ["FAIL", "WAITING"]
    trial, waiting = load().trials
    assert waiting.system_attrs["fixed_params"] == trial.params
