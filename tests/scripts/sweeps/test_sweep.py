import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from optuna import Study
from optuna.trial import TrialState

from classifiers.cli import main
from classifiers.experiment.paths import project_root
from tests.conftest import Promise
from tests.processes import wait_for_file
from tests.scripts.sweeps.conftest import Sweep


def metrics(root: Path, experiment: str) -> dict[str, float]:
    (path,) = root.glob(f"{experiment}/*/metrics.json")
    return dict(json.loads(path.read_text()))


def test_the_best_trial_comes_first_and_its_command_fits_it_again(sweep: Sweep, tmp_path: Path) -> None:
    sweep("--trials=2")
    lines = sweep("--trials=3").splitlines()
    reached = [metrics(tmp_path, f"sweeps/space/trial-{number}") for number in range(3)]
    assert not any("test/acc" in result for result in reached)
    assert lines[0] == "2 of 3 trials are done"
    assert lines[2] == f"trials in {tmp_path}/sweeps/space: 3 finished, 0 pruned, 0 failed"
    assert lines[3].split() == ["trial", "lr", "hidden", "val/loss", "val/acc"]
    order = [int(line.split()[0].removeprefix("trial-")) for line in lines[4:7]]
    assert order == sorted(range(3), key=lambda number: -reached[number]["val/acc"])
    assert lines[-2].startswith(f"The best is in {tmp_path}/sweeps/space/trial-{order[0]}/2")
    program, *command = shlex.split(lines[-1])
    assert program == "classifiers"
    main(command)
    again, best = metrics(tmp_path, "default"), reached[order[0]]
    assert (again["val/acc"], again["val/loss"]) == (best["val/acc"], best["val/loss"])
    assert "test/acc" in again
    (tmp_path / f"sweeps/space/trial-{order[0]}").rename(tmp_path / "another machine")
    line = f"The best is trial-{order[0]}, whose run is on another machine; to fit it again and test it:"
    assert sweep("--trials=3").splitlines()[-2] == line


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


def test_without_optuna_it_says_how_to_install_it(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if ".studies." in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)  # as if it weren't installed
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1")
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == "error: a sweep needs Optuna: python -m pip install -e '.[sweep]'\n"


@pytest.mark.slow
def test_twenty_trials_with_a_kill_in_their_middle(
    arguments: list[str], load: Callable[[], Study], tmp_path: Path, promise: Promise
) -> None:
    command = [sys.executable, project_root() / "scripts/sweep.py", *arguments, "--trials=20"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True) as process:
        wait_for_file(process, tmp_path, "sweeps/space/trial-10/*/config.yaml")
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
