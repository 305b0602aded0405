import contextlib
import json
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from classifiers.cli import ClassifierCLI
from classifiers.experiment.errors import UserError
from classifiers.experiment.paths import project_root
from classifiers.experiment.studies import fitting
from classifiers.experiment.studies.repeat import repeat
from classifiers.experiment.studies.repeat_command import divided
from tests.conftest import Script
from tests.processes import FORKS

CONFIG = """
data: {class_path: SyntheticDataModule, init_args: {train_size: 200, test_size: 50, image_size: 8}}
model: {net: MLP, optimizer: {class_path: SGD, init_args: {lr: 0.05}}}
trainer: {max_epochs: EPOCHS, accelerator: cpu, log_every_n_steps: 1, default_root_dir: ignored}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fitting, "PROCESSES", FORKS)
    (tmp_path / "shirts.yaml").write_text(CONFIG.replace("EPOCHS", "2"))
    return tmp_path / "shirts.yaml"


def test_finished_runs_are_kept_and_tabled(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (first,) = repeat(ClassifierCLI, [config], seeds=1, out=out)
    assert (first.config, first.seeds) == ("shirts", 1)
    (metrics,) = out.glob("*/seed-0/*/metrics.json")
    written = metrics.stat().st_mtime_ns
    (second,) = repeat(ClassifierCLI, [config], seeds=2, out=out)
    assert second.seeds == 2
    assert metrics.stat().st_mtime_ns == written
    assert len(list(out.glob("*/seed-*/*/metrics.json"))) == 2
    assert json.loads((out / "table.json").read_text())[0]["test_acc"] == list(second.tested["test/acc"])
    assert (out / "table.md").read_text().splitlines()[2].startswith("| shirts | 2 | ")


def test_a_changed_config_is_fitted_anew(config: Path, tmp_path: Path) -> None:
    repeat(ClassifierCLI, [config], seeds=1, out=tmp_path / "out")
    config.write_text(config.read_text() + "# changed\n")
    repeat(ClassifierCLI, [config], seeds=1, out=tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*/seed-0/*/metrics.json"))) == 2


def test_no_seeds(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--seeds is 0: it must be at least 1"):
        repeat(ClassifierCLI, [config], seeds=0, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_config_names_the_near_ones(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*/skirts\.yaml: near it is shirts\.yaml"):
        repeat(ClassifierCLI, [config.with_name("skirts.yaml")], seeds=1, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(config: Path) -> None:
    with pytest.raises(
        UserError, match=r"can't write to .*shirts.yaml \(File exists\): name another folder with --out"
    ):
        repeat(ClassifierCLI, [config], seeds=1, out=config)


def test_a_fit_that_fails_says_why(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace("net: MLP", "net: MLPP"))
    with pytest.raises(UserError, match=r"with seed 0 failed: model.net: there is no class MLPP: did you mean MLP\?"):
        repeat(ClassifierCLI, [config], seeds=1, out=tmp_path / "out")


def test_a_config_that_is_no_map_is_one_line(config: Path, tmp_path: Path) -> None:
    config.write_text("- 1\n")
    with pytest.raises(UserError, match=r"with seed 0 failed: a config file must be a map of sections"):
        repeat(ClassifierCLI, [config], seeds=1, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--seeds=x"], "seeds: expected int, not 'x'"),
        (["--sedes=3"], "unknown option --sedes: did you mean --seeds?"),
        (["--seeds=0"], "--seeds is 0: it must be at least 1"),
    ],
)
def test_a_wrong_option_of_the_script_is_one_line(
    options: list[str], line: str, config: Path, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        script("repeat.py", str(config), *options)
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == f"error: {line}\n"


@pytest.mark.slow
def test_an_interrupted_job_ends_its_fit_and_says_how_to_go_on(config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.replace("EPOCHS", "100000"))
    command = [sys.executable, project_root() / "scripts/repeat.py", config, f"--out={tmp_path / 'out'}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        for _ in range(300):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
            if list((tmp_path / "out").glob("*/seed-0/*/metrics.csv")):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert errors == "stopped: finished runs are kept, the same command goes on with the rest\n"
    assert not (tmp_path / "out/table.md").exists()
    (log,) = (tmp_path / "out").glob("*/seed-0/log.txt")
    assert "Stopped before step" in log.read_text()  # the fit has ended too


def test_overrides_are_other_runs(config: Path, tmp_path: Path) -> None:
    out, options = tmp_path / "out", ["--trainer.max_epochs=1", "--data.batch_size=50"]
    repeat(ClassifierCLI, [config], 1, out)
    (row,) = repeat(ClassifierCLI, [config], 1, out, options, ["val/loss", "train/acc"])
    assert row.tested.keys() == {"val/loss", "train/acc"}
    epochs = sorted(json.loads(path.read_text())["epochs"] for path in out.glob("*/seed-0/*/metrics.json"))
    assert epochs == [1, 2]
    repeat(ClassifierCLI, [config], 1, out, options)
    assert len(list(out.glob("*/seed-0/*/metrics.json"))) == 2
    with pytest.raises(UserError, match=r"--metrics: no run has val/los: did you mean val/loss\?"):
        repeat(ClassifierCLI, [config], 1, out, options, ["val/los"])


def test_each_seed_validates_on_each_fold(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (row,) = repeat(ClassifierCLI, [config], 1, out, ["--trainer.max_epochs=1"], folds=3)
    results = [json.loads(path.read_text()) for path in out.glob("*/seed-0/*/metrics.json")]
    configs = [yaml.safe_load(path.read_text())["data"]["init_args"] for path in out.glob("*/seed-0/*/config.yaml")]
    assert sorted((data["folds"], data["fold"]) for data in configs) == [(3, 0), (3, 1), (3, 2)]
    assert (row.config, row.seeds, [*row.tested]) == ("shirts, 3 folds", 1, ["val/acc", "test/acc"])
    found = [result["val/acc"] for result in results]
    assert row.tested["val/acc"] == pytest.approx((statistics.mean(found), statistics.stdev(found)))
    with pytest.raises(UserError, match="--folds is 1: it must be at least 2"):
        repeat(ClassifierCLI, [config], 1, out, folds=1)


def test_a_command_line_is_divided_into_its_own_options_and_those_of_fits() -> None:
    given = ["a.yaml", "--config", "b.yaml", "--config=c.yaml", "--seeds", "2", "--data.batch_size", "64", "d.yaml",
             "--trainer.max_epochs=3", "e.yaml", "--metrics", "val/acc", "test/acc", "--threads=1"]  # fmt: skip
    assert divided(given, ["threads"]) == (
        ["a.yaml", "b.yaml", "c.yaml", "--seeds", "2", "d.yaml", "e.yaml", "--metrics", "val/acc", "test/acc"],
        ["--data.batch_size", "64", "--trainer.max_epochs=3", "--threads=1"],
    )
