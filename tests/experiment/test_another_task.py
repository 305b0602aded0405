"""The task of CONTRIBUTING.md that isn't images, run as the script that it is."""

import json
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import torch

from classifiers.experiment.paths import project_root
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.processes import Running, start

slow = pytest.mark.slow
TEXT = (project_root() / ".github/CONTRIBUTING.md").read_text()
(CODE,) = re.findall(r"`series\.py`:\n\n```python\n(.*?)```", TEXT, re.DOTALL)
QUIET = ["--trainer.accelerator=cpu", "--trainer.default_root_dir=runs", "--trainer.log_every_n_steps=2"]
FIT = ["fit", *QUIET, "--trainer.max_epochs=3", "--last_checkpoint.every_n_steps=2"]  # 12 steps an epoch
PLAIN = CODE.replace("RepeatableDataModule", "LightningDataModule").replace(
    "sampler=sampler", "shuffle=True"
).replace("        sampler = self.training_sampler(self.train_set, self.batch_size)\n", "").replace(
    "import LightningModule", "import LightningDataModule, LightningModule"
).replace("ExperimentCLI, LightningDataModule", "ExperimentCLI")  # fmt: skip


def run_script(arguments: Sequence[str], code: str = CODE) -> None:
    """`python series.py ARGUMENTS`, but in a process that has imported all."""
    Path("series.py").write_text(code)
    sys.argv = ["series.py", *arguments]
    runpy.run_path("series.py", run_name="__main__")


def series(folder: Path, *arguments: str, code: str = CODE) -> Running:
    running = start(folder, *arguments, program=partial(run_script, code=code))
    running.wait()
    return running


def really(folder: Path, *arguments: str) -> str:
    """What `python series.py ARGUMENTS` prints, which all goes well."""
    (folder / "series.py").write_text(CODE)
    paths = os.pathsep.join([str(project_root() / "src"), str(project_root()), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "series.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def killed_by(number: int, folder: Path, step: int) -> list[str]:
    kill = {"": "tests.instruments.Kill", ".hook": "on_train_batch_end", ".step": step, ".number": number,
            ".once": folder / "killed"}  # fmt: skip
    return [f"--trainer.callbacks{'' if key else '+'}{key}={value}" for key, value in kill.items()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which one fit was run that is never interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    done = series(folder, *FIT)
    assert done.process.exitcode == 0, done.err
    return folder


def test_a_fit_leaves_a_run_folder(whole: Path) -> None:
    run = run_of(whole)
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    kept = {"config.yaml", "metrics.csv", "metrics.json", "checkpoints/best.ckpt", "checkpoints/last.ckpt"}
    (events,) = files - kept
    assert events.startswith("events.out.tfevents")
    assert files >= kept
    result = json.loads((run / "metrics.json").read_text())
    assert result["test_loss"] < result["train_loss_epoch"] < 1.0986  # that of a guess
    out = (whole / "out").read_text()
    assert re.search(r"^epoch 1/3   train loss \d\.\d{4}   val loss \d\.\d{4}   ", out, re.MULTILINE)
    for split in ("val", "test"):
        assert re.search(rf"│ {split} +loss {result[f'{split}_loss']:.4f} +│", out)
    assert "not exact" not in out


@pytest.mark.parametrize("step", [18, pytest.param(3, marks=slow), pytest.param(35, marks=slow)])
def test_a_killed_run_goes_on_as_if_it_had_never_stopped(step: int, whole: Path, tmp_path: Path) -> None:
    killed = series(tmp_path, *FIT, *killed_by(signal.SIGKILL, tmp_path, step))
    assert killed.process.exitcode == -signal.SIGKILL
    resumed = series(tmp_path, "fit", f"--resume={run_of(tmp_path)}")
    assert resumed.process.exitcode == 0, resumed.err
    assert differences(content(run_of(whole)), content(run_of(tmp_path))) == []
    assert "train_loss_epoch" in content(run_of(whole))


def test_a_signal_ends_it_in_order(whole: Path, tmp_path: Path) -> None:
    stopped = series(tmp_path, *FIT, *killed_by(signal.SIGTERM, tmp_path, 18))
    assert stopped.process.exitcode == 128 + signal.SIGTERM
    assert "Stopped before step" in stopped.out
    assert torch.load(run_of(tmp_path) / "checkpoints/last.ckpt", weights_only=True)["global_step"] == 18
    assert series(tmp_path, "fit", f"--resume={run_of(tmp_path)}").process.exitcode == 0
    assert differences(content(run_of(whole)), content(run_of(tmp_path))) == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["fit", "--model.widht=3"], "unknown option --model.widht: did you mean --model.width?"),
        (["fit", "--data.size=few"], "data.size: expected int, not 'few'"),
        (["fit", "--best_checkpoint.monitor=val/loss"],
         "--best_checkpoint.monitor val/loss is no metric of a validation: these are val_loss"),
        (["test"], "test needs a trained model: give its checkpoint with --ckpt_path"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(arguments: list[str], line: str, tmp_path: Path) -> None:
    failed = series(tmp_path, *arguments, *QUIET)
    assert failed.process.exitcode == 2
    assert [told for told in failed.err.splitlines() if not told.startswith("Seed set")] == [f"error: {line}"]


def test_a_checkpoint_is_tested(whole: Path, tmp_path: Path) -> None:
    run = run_of(whole)
    tested = series(tmp_path, "test", f"--ckpt_path={run / 'checkpoints/best.ckpt'}", *QUIET)
    (loss,) = re.findall(r"test_loss +│ +([\d.]+)", tested.out)
    assert float(loss) == json.loads((run / "metrics.json").read_text())["test_loss"]


def test_runs_are_listed(whole: Path, tmp_path: Path) -> None:
    result = json.loads((run_of(whole) / "metrics.json").read_text())
    head, row = series(tmp_path, "runs", str(whole / "runs"), "--sort=val_loss").out.splitlines()
    assert head.split() == ["experiment", "run", "seed", "val_loss", "test_loss", "seconds"]
    assert row.split()[3:5] == [f"{result['val_loss']:.4f}", f"{result['test_loss']:.4f}"]


def test_data_that_is_not_repeatable_is_fitted_and_says_so(tmp_path: Path) -> None:
    fitted = series(tmp_path, *FIT, "--trainer.max_epochs=1", code=PLAIN)
    assert fitted.process.exitcode == 0, fitted.err
    assert "not exact: Waves is no RepeatableDataModule" in fitted.out


FROM_PYTHON = """
from classifiers.experiment import UserError, fit, open_run

if __name__ == "__main__":
    from series import SeriesClassifier, SeriesCLI, Waves

    run = fit(SeriesClassifier(width=8), Waves(size=300), cli=SeriesCLI, max_epochs=1, accelerator="cpu",
              default_root_dir="runs")
    print(run.metrics["test_loss"], run.history[-1]["test_loss"])
    model = run.model
    run = open_run(run.folder, cli=SeriesCLI)
    assert run.data.size == 300
    try:
        run.model
    except UserError as error:
        print(error)
    print(run.resume(SeriesClassifier(width=8), max_epochs=2).metrics["epochs"])
"""


def from_python(arguments: Sequence[str]) -> None:
    sys.path.insert(0, "")
    Path("series.py").write_text(CODE)
    exec(FROM_PYTHON, {"__name__": "__main__"})


def test_it_is_fitted_from_python(tmp_path: Path) -> None:
    fitted = start(tmp_path, program=from_python)
    assert fitted.wait() == 0, fitted.err
    first, last = (line for line in fitted.out.splitlines() if line[0].isdigit())
    cure = "load_from_checkpoint of its class loads it, and those of an ExperimentModule say it"
    assert f"best.ckpt doesn't say how its model was made: {cure}\n" in fitted.out
    one, other = map(float, first.split())
    assert one == other
    assert last == "2"


@slow
def test_seeds_are_repeated(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("model: {width: 8}\ntrainer: {max_epochs: 2, accelerator: cpu}\n")
    printed = really(tmp_path, "repeat", "small.yaml", "--seeds=1", "--out=out")
    (metrics,) = tmp_path.glob("out/small-*/seed-0/*/metrics.json")
    loss = json.loads(metrics.read_text())["test_loss"]
    assert "| config | seeds | test loss | seconds | published | ours | met |" in printed
    assert f"| small | 1 | {loss:.4f} ± 0.0000 |" in printed
    (row,) = json.loads((tmp_path / "out/table.json").read_text())
    assert row["test_loss"] == [loss, 0]


@slow
def test_settings_are_swept(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    (tmp_path / "small.yaml").write_text("model: {width: 8}\ntrainer: {max_epochs: 2, accelerator: cpu}\n")
    (tmp_path / "space.yaml").write_text("model.lr: {low: 1e-3, high: 0.1, log: true}\n")
    options = ["--space=space.yaml", "--trials=2", "--config=small.yaml", "--trainer.default_root_dir=runs"]
    printed = really(tmp_path, "sweep", *options)
    assert ": 2 finished, 0 pruned, 0 failed\n" in printed
    assert re.search(r"^trial +lr +val_loss$", printed.replace(" \n", "\n"), re.MULTILINE)
    command = printed.splitlines()[-1].split()
    assert command[:3] == ["python", str(tmp_path / "series.py"), "fit"]
    really(tmp_path, *command[2:])


@slow
def test_the_script_is_fitted_and_goes_on(tmp_path: Path) -> None:
    really(tmp_path, *FIT, "--trainer.max_epochs=1")
    really(tmp_path, "fit", "--resume", str(run_of(tmp_path)), "--trainer.max_epochs=2")
    assert json.loads((run_of(tmp_path) / "metrics.json").read_text())["epochs"] == 2


def test_the_section_names_no_other_commands() -> None:
    section = TEXT.partition("## A task that isn't images")[2].partition("\n## ")[0]
    commands = re.findall(r"^    python series\.py (\S+)", section, re.MULTILINE)
    assert commands == ["fit", "fit", "test", "runs", "repeat", "sweep"]
