import contextlib
import importlib.util
import json
import re
import runpy
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from classifiers.callbacks.checkpoints import BestCheckpoint
from classifiers.cli import main
from classifiers.paths import project_root
from tests.conftest import SMALL, Promise, Script
from tests.processes import FORKS, start

optuna = pytest.importorskip("optuna")

from optuna import Study  # noqa: E402
from optuna.trial import TrialState, create_trial  # noqa: E402
from sweeps import fitting, study, trials  # noqa: E402
from sweeps.space import FORM, Space  # noqa: E402

SPACE = """
model.optimizer.lr: {low: 1e-4, high: 1e-1, log: true}
model.net.hidden: {choices: [[4], [8, 8]]}
"""
LONG = "--trainer.max_epochs=100000"
Sweep = Callable[..., str]


def sweep_in_this_process(arguments: Sequence[str]) -> None:
    """The script, but its fits are forked from a process that has imported all, and the dead are soon given up."""
    fitting.PROCESSES, study.HEARTBEAT, study.DEAD = FORKS, 1, 2  # type: ignore[assignment]
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
    return lambda: optuna.load_study(study_name="space", storage=f"sqlite:///{tmp_path}/sweeps/space/study.db")


def metrics(root: Path, experiment: str) -> dict[str, float]:
    (path,) = root.glob(f"{experiment}/*/metrics.json")
    return dict(json.loads(path.read_text()))


def states(study: Study) -> list[str]:
    return [trial.state.name for trial in study.trials]


def test_the_best_trial_comes_first_and_its_command_fits_it_again(sweep: Sweep, tmp_path: Path) -> None:
    lines = sweep("--trials=3").splitlines()
    reached = [metrics(tmp_path, f"sweeps/space/trial-{number}") for number in range(3)]
    assert not any("test/acc" in result for result in reached)
    assert lines[3] == f"trials in {tmp_path}/sweeps/space: 3 finished, 0 pruned, 0 failed"
    assert lines[4].split() == ["trial", "lr", "hidden", "val/loss", "val/acc"]
    order = [int(line.split()[0].removeprefix("trial-")) for line in lines[5:8]]
    assert order == sorted(range(3), key=lambda number: -reached[number]["val/acc"])
    assert lines[-2].startswith(f"The best is in {tmp_path}/sweeps/space/trial-{order[0]}/2")
    program, *command = shlex.split(lines[-1])
    assert program == "classifiers"
    main(command)
    again, best = metrics(tmp_path, "default"), reached[order[0]]
    assert (again["val/acc"], again["val/loss"]) == (best["val/acc"], best["val/loss"])
    assert "test/acc" in again


@pytest.mark.slow
def test_a_poor_trial_is_pruned_in_order(sweep: Sweep, load: Callable[[], Study], tmp_path: Path) -> None:
    sweep("--trials=1")
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
    kill = [LONG, "--trainer.callbacks+=tests.instruments.KillParent"]
    assert start(tmp_path / "a", *arguments, "--trials=3", *kill, program=sweep_in_this_process).wait() == -9
    assert states(load()) == ["RUNNING"]
    sweeps = [start(tmp_path / name, *arguments, "--trials=3", program=sweep_in_this_process) for name in "bc"]
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
def test_of_two_that_take_the_last_trial_at_once_one_steps_back(arguments: list[str], tmp_path: Path) -> None:
    shared = optuna.create_study()
    work = trials.Trials(
        shared, Space(tmp_path / "space.yaml"), arguments, BestCheckpoint(), tmp_path / "sweep", many=1
    )
    shared.ask()
    shared.optimize(work._try, n_trials=1)
    assert states(shared) == ["RUNNING", "FAIL"]
    assert [trial.number for trial in work.counted()] == [0]
    assert not (tmp_path / "sweep").exists()


def test_a_trial_that_died_before_its_first_sign_of_life_is_made_up_for(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = optuna.create_study()
    work = trials.Trials(
        shared, Space(tmp_path / "space.yaml"), arguments, BestCheckpoint(), tmp_path / "sweep", many=1
    )
    shared.ask()
    assert len(work.counted()) == 1
    monkeypatch.setattr(trials, "DEAD", -1)
    assert work.counted() == []


@pytest.mark.slow
def test_a_stopped_sweep_stops_its_fit_and_puts_it_back(
    arguments: list[str], load: Callable[[], Study], tmp_path: Path
) -> None:
    stop = [LONG, "--trainer.callbacks+=tests.instruments.KillParent", "--trainer.callbacks.number=15"]
    stopped = start(tmp_path / "a", *arguments, "--trials=1", *stop, program=sweep_in_this_process)
    assert stopped.wait() == 130
    assert stopped.err == "stopped: finished trials are kept, the same command goes on with the rest\n"
    assert "Stopped before step" in (tmp_path / "sweeps/space/trial-0/log.txt").read_text()
    assert states(load()) == ["FAIL", "WAITING"]
    trial, waiting = load().trials
    assert waiting.system_attrs["fixed_params"] == trial.params


OPTION = "model.optimizer.lr"


@pytest.mark.parametrize(
    ("space", "line"),
    [
        ("", f"SPACE is no space: it must be a map from options to {FORM}"),
        ("[1, 2]", f"SPACE is no space: it must be a map from options to {FORM}"),
        (
            f"{OPTION}: [1, 2]",
            f"SPACE: {OPTION} must be like {{low: 0.01, high: 0.1, log: true}} or {{choices: [16, 32]}}, not [1, 2]",
        ),
        (f"{OPTION}: {{low: 1, hihg: 2}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: 1, high: 2, lgo: true}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: 1, high: 2, choices: [1]}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: a, high: 2}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: true, high: 2}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{choices: []}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{choices: 1}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{choices: [1, 1]}}", f"SPACE: {OPTION} has a choice twice"),
        (f"{OPTION}: {{low: 2, high: 1}}", f"SPACE: {OPTION}: low must be less than high, not 2 and 1"),
        (f"{OPTION}: {{low: 2.0, high: 2.0}}", f"SPACE: {OPTION}: low must be less than high, not 2.0 and 2.0"),
        (f"{OPTION}: {{low: .nan, high: 1}}", f"SPACE: {OPTION}: low must be less than high, not nan and 1"),
        (f"{OPTION}: {{low: 1, high: .inf}}", f"SPACE: {OPTION}: low must be less than high, not 1 and inf"),
        (f"{OPTION}: {{low: 0, high: 1, log: true}}", f"SPACE: {OPTION}: log must be true, with low above 0, or false"),
        (f"{OPTION}: {{low: 1, high: 2, log: 1}}", f"SPACE: {OPTION}: log must be true, with low above 0, or false"),
        (f"{OPTION}: {{low: 1, high: 2}}\n{OPTION}: {{low: 1, high: 3}}", "SPACE is no space: key "),
        (f"{OPTION}: {{low: 1, low: 1, high: 2}}", "SPACE is no space: key 'low' stands twice"),
        (f"{OPTION}: !!python/object/apply:os.getcwd []", "SPACE is no space: could not determine a constructor"),
        ("{", "SPACE is no space: while parsing a flow"),
        ("\x00", "SPACE is no space: unacceptable character"),
        ("[" * 5000, "SPACE is no space: "),
        ("model.net.hiden: {choices: [[1]]}", "model.net: classifiers.MLP has no option hiden: did you mean hidden?"),
        ("model.optimiser: {choices: [SGD]}", "unknown option --model.optimiser: did you mean --model.optimizer?"),
        ("data.batch_size: {choices: [64, many]}", "data.batch_size: expected int, not 'many'"),
    ],
)
def test_a_space_that_is_none_is_one_line(
    space: str, line: str, sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(space)
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1")
    assert exit_info.value.code == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {line.replace('SPACE', str(path))}")
    assert not (tmp_path / "sweeps").exists()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--trials=0"], "--trials is 0: it must be at least 1"),
        (["--trials=x"], "argument --trials: invalid int value: 'x'"),
        ([], "the following arguments are required: --trials"),
        (["--trials=1", "--pruner=best"], "argument --pruner: invalid choice: 'best' (choose from"),
        (["--trials=1", "--trails=1"], "unknown option --trails: "),
        (["--trials=1", "--config=TMP/no.yaml"], "there is no file TMP/no.yaml"),
        (["--trials=1", "--space=TMP/spaces.yaml"], "there is no file TMP/spaces.yaml: near it is space.yaml"),
        (["--trials=1", "--space=TMP"], "TMP is no space: [Errno 21] Is a directory"),
        (["--trials=1", "--data.val_size=x"], "data.val_size: expected int or float, not 'x'"),
        (
            ["--trials=1", "--trainer.default_root_dir=TMP/space.yaml"],
            "can't write to TMP/space.yaml/sweeps/space (Not",
        ),
    ],
)
def test_a_wrong_option_is_one_line(
    options: list[str], line: str, sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        sweep(*(option.replace("TMP", str(tmp_path)) for option in options))
    assert exit_info.value.code == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {line.replace('TMP', str(tmp_path))}")
    assert not (tmp_path / "sweeps").exists()


def test_a_mistake_that_the_first_fit_finds_ends_the_sweep(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=5", "--best_checkpoint.monitor=val/accuracy")
    assert exit_info.value.code == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith("error: --best_checkpoint.monitor val/accuracy is no metric of a validation")
    assert not (tmp_path / "sweeps/space/trial-1").exists()


FILE = "sqlite:///TMP/x.db"
ANOTHER = "error: the study space is of another space or monitor: name another with --study\n"


def no_database(path: Path) -> None:
    path.write_text("not a database, but long enough to look like one " * 50)


def foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE shirts (size INTEGER)")
    connection.close()


@pytest.mark.parametrize(
    ("make", "url", "line"),
    [
        (no_database, FILE, f"the database {FILE} can't be used: file is not a database"),
        (foreign_database, FILE, f"the database {FILE} is of something else: it has a table shirts"),
        (Path.mkdir, FILE, f"the database {FILE} can't be used: unable to open database file"),
        (Path.touch, "my.db", "the database my.db can't be used: Could not parse SQLAlchemy URL from"),
        (Path.touch, "nosql://me:secret@host/x", "the database host/x can't be used: Can't load plugin: sqlalchemy."),
    ],
)
def test_a_database_of_no_use_is_one_line_and_left_as_it_is(
    make: Callable[[Path], None], url: str, line: str, sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1", f"--storage={url.replace('TMP', str(tmp_path))}")
    assert exit_info.value.code == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {line.replace('TMP', str(tmp_path))}")
    assert "secret" not in printed
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_locked_database_and_a_study_of_another_space_are_one_line(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep("--trials=1")
    monkeypatch.setattr(study, "LOCKED", 0)
    database = tmp_path / "sweeps/space/study.db"
    connection = sqlite3.connect(database)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SystemExit):
        sweep("--trials=2")
    assert capsys.readouterr().err == f"error: the database sqlite:///{database} can't be used: database is locked\n"
    connection.close()
    with pytest.raises(SystemExit):
        sweep("--trials=2", "--best_checkpoint.monitor=val/loss")
    assert capsys.readouterr().err.startswith(
        "error: the study space is of another space or monitor: name another with --"
    )
    (tmp_path / "space.yaml").write_text(SPACE.replace("1e-4", "1e-3"))
    with pytest.raises(SystemExit):
        sweep("--trials=2")
    assert capsys.readouterr().err.startswith(
        "error: the study space is of another space or monitor: name another with --"
    )


def test_without_optuna_it_says_how_to_install_it(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "sweeps"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1")
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == "error: a sweep needs Optuna: python -m pip install -e '.[sweep]'\n"


@pytest.mark.slow
def test_twenty_trials_with_a_kill_in_their_middle(
    arguments: list[str], load: Callable[[], Study], tmp_path: Path, promise: Promise
) -> None:
    command = [sys.executable, project_root() / "scripts/sweep.py", *arguments, "--trials=20"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not list(tmp_path.glob("sweeps/space/trial-10/*/config.yaml")):
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"it ended with {process.wait(timeout=0.05)}")
        process.kill()
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    done = [trial for trial in load().trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    (lost,) = [trial for trial in load().trials if trial.state == TrialState.FAIL]
    assert (len(load().trials), len(done), lost.number) == (21, 20, 10)
    assert sum(trial.params == lost.params for trial in done) == 1
    for trial in done:
        (run,) = tmp_path.glob(f"sweeps/space/trial-{trial.number}/*/config.yaml")
        settings = yaml.safe_load(run.read_text())["model"]
        assert settings["optimizer"]["init_args"]["lr"] == float(f"{trial.params['model.optimizer.lr']:.4g}")
        assert str(settings["net"]["init_args"]["hidden"]) == trial.params["model.net.hidden"]
    best = max(done, key=lambda trial: trial.value or 0)
    assert f"The best is in {tmp_path}/sweeps/space/trial-{best.number}/" in again.stdout
    promise("Sweep: killed with -9 in the middle of 20 trials, gone on with: 20 trials, none lost and none twice")
