"""Every callback, profiler and logger of Lightning's, as its user meets it: with all defaults, at a terminal or not."""

import importlib.util
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import callbacks, loggers, profilers

from tests.conftest import SMALL
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.processes import end_at_a_terminal, start

FIT = ["fit", *SMALL, "--figures=true", "--trainer.default_root_dir=runs", "--last_checkpoint.every_n_steps=2",
       "--trainer.max_epochs=3"]  # fmt: skip
KILL = {"": "tests.instruments.Kill", ".hook": "on_train_batch_end", ".step": "9", ".once": "killed"}

CALLBACKS: dict[str, list[str]] = {
    "BackboneFinetuning": ["unfreeze_backbone_at_epoch=1"],
    "BatchSizeFinder": ["max_trials=2"],
    "DeviceStatsMonitor": [],
    "EMAWeightAveraging": ["decay=0.9"],
    "EarlyStopping": ["monitor=val/loss", "verbose=true"],
    "GradientAccumulationScheduler": ["scheduling={0: 1, 1: 2}"],
    "LearningRateFinder": ["num_training_steps=20"],
    "LearningRateMonitor": [],
    "ModelCheckpoint": ["monitor=val/loss", "save_top_k=2", "verbose=true"],
    "ModelPruning": ["pruning_fn=l1_unstructured", "amount=0.1"],
    "ModelSummary": [],
    "OnExceptionCheckpoint": ["dirpath=kept"],
    "RichModelSummary": [],
    "RichProgressBar": [],
    "SpikeDetection": [],
    "StochasticWeightAveraging": ["swa_lrs=0.01"],
    "TQDMProgressBar": [],
    "ThroughputMonitor": ["batch_size_fn=tests.instruments.batch_size"],
    "Timer": ["duration=00:01:00:00"],
    "WeightAveraging": [],
}
BASES = {"BaseFinetuning", "BasePredictionWriter", "Callback", "Checkpoint", "LambdaCallback", "ProgressBar"}
PROFILERS = {"AdvancedProfiler", "PassThroughProfiler", "PyTorchProfiler", "SimpleProfiler"}
OTHER_PROFILERS = {"Profiler", "XLAProfiler"}  # the base, and one of a machine that is not here
LOGGERS: dict[str, tuple[list[str], str]] = {  # and the packages that they need
    "CSVLogger": (["save_dir=logs"], ""),
    "CometLogger": (["online=false"], "comet_ml"),
    "LitLogger": ([], "litlogger"),
    "MLFlowLogger": (["tracking_uri=sqlite:///logs.db"], "mlflow"),
    "TensorBoardLogger": (["save_dir=logs"], ""),
    "WandbLogger": (["offline=true", "save_dir=logs"], "wandb"),
}
LEARNS_OTHERWISE = {  # than without it
    "BackboneFinetuning", "BatchSizeFinder", "GradientAccumulationScheduler", "LearningRateFinder", "ModelPruning",
    "StochasticWeightAveraging", "WeightAveraging", "EMAWeightAveraging",
}  # fmt: skip


def options(kind: str, name: str) -> list[str]:
    """Of a command line that uses that class."""
    if kind == "callbacks":
        return [f"--trainer.callbacks+={name}", *(f"--trainer.callbacks.{option}" for option in CALLBACKS[name])]
    given = LOGGERS[name][0] if kind == "logger" else []
    return [f"--trainer.{kind}={name}", *(f"--trainer.{kind}.{option}" for option in given)]


def ended(folder: Path, terminal: bool, *arguments: str) -> tuple[int, str]:
    """The exit code and all that was printed; one that hangs is killed."""
    if terminal:
        return end_at_a_terminal(folder, *arguments)
    running = start(folder, *arguments)
    running.process.join(timeout=120)
    running.process.kill()
    return running.wait(), running.out + running.err


def well(folder: Path, terminal: bool, *arguments: str) -> str:
    """What is printed on the way to a good end, without a traceback."""
    code, printed = ended(folder, terminal, *arguments)
    assert code == 0, printed
    assert "Traceback" not in printed, printed
    assert not re.search("(?<!of type )object at 0x", printed), printed  # but what Python's profiler calls so
    return printed


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run leaves without any of them."""
    folder = tmp_path_factory.mktemp("plain")
    well(folder, False, *FIT)
    return content(run_of(folder))


PARTS = [("callbacks", name) for name in CALLBACKS] + [("profiler", name) for name in sorted(PROFILERS)]
PARTS += [("logger", name) for name in LOGGERS]
CASES = [(kind, name, terminal) for kind, name in PARTS for terminal in (True, False)]
SAMPLE = {("callbacks", "EMAWeightAveraging", True), ("logger", "CSVLogger", False)}  # of the quick tests


@pytest.mark.parametrize(
    ("kind", "name", "terminal"),
    [pytest.param(*case, marks=[] if case in SAMPLE else pytest.mark.slow) for case in CASES],
    ids=[f"{name}, {'terminal' if terminal else 'plain'}" for _, name, terminal in CASES],
)
def test_a_class_of_lightnings_works(
    kind: str, name: str, terminal: bool, tmp_path: Path, plain: dict[str, Any]
) -> None:
    used, whole, killed = options(kind, name), tmp_path / "whole", tmp_path / "killed"
    package = LOGGERS[name][1] if kind == "logger" else ""
    if package and not importlib.util.find_spec(package):
        code, printed = ended(whole, terminal, *FIT, *used)
        assert code == 2
        assert re.search(r"error: .*Logger", printed)
        return
    assert "\x1b[" in well(whole, terminal, *FIT, *used) or not terminal
    kept = content(run_of(whole))
    if name not in LEARNS_OTHERWISE:
        assert differences(plain["last"]["state_dict"], kept["last"]["state_dict"]) == []
        assert plain["json"]["test/acc"] == kept["json"]["test/acc"]

    kill = [f"--trainer.callbacks{'' if key else '+'}{key}={value}" for key, value in KILL.items()]
    assert ended(killed, terminal, *FIT, *used, *kill)[0] == -signal.SIGKILL
    well(killed, terminal, "fit", f"--resume={run_of(killed)}")
    now = content(run_of(killed))
    weights = [found["last"].get("state_dict", found["last"].get("weights")) for found in (kept, now)]
    assert differences(*weights) == []
    assert kept["json"] == now["json"]

    checkpoint = f"--ckpt_path={run_of(whole) / 'checkpoints/best.ckpt'}"
    data = [option for option in SMALL if option.startswith("--data")]
    well(whole, terminal, "predict", *data, checkpoint, "--predictions=predicted.csv", *used)
    assert (whole / "predicted.csv").read_text().count("\n") == 131


def test_all_classes_of_lightnings_are_known() -> None:
    assert set(callbacks.__all__) == CALLBACKS.keys() | BASES
    assert set(profilers.__all__) == PROFILERS | OTHER_PROFILERS
    assert set(loggers.__all__) - {"Logger"} == LOGGERS.keys()
