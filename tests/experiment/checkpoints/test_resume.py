import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from classifiers.experiment.checkpoints.resume import resumed
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL, Promise
from tests.processes import finished, start

FIT = [
    "fit",
    *SMALL,
    "--model.net=tests.instruments.DropoutNet",
    "--data.augmentations=[{class_path: RandomCrop}, {class_path: RandomHorizontalFlip}]",
    "--best_checkpoint.monitor=val/loss",
    "--last_checkpoint.every_n_steps=2",
    "--trainer.max_epochs=4",
    "--trainer.log_every_n_steps=2",
    "--trainer.default_root_dir=runs",
    "--trainer.callbacks+=tests.instruments.Hooks",
]  # 6 steps an epoch
SGD = ["--model.optimizer=SGD", "--model.optimizer.lr=0.1"]
PLATEAU = "torch.optim.lr_scheduler.ReduceLROnPlateau"
RECIPES = {
    "workers": ["--data.num_workers=2"],
    "OneCycle": [*SGD, "--model.lr_scheduler=OneCycle", "--model.lr_scheduler_interval=step"],
    "MuonSGD": ["--model.optimizer=classifiers.muon.MuonSGD"],
    "WarmupCosine": [*SGD, "--model.lr_scheduler=WarmupCosine"],
    "InTurn": [*SGD, "--model.lr_scheduler=InTurn", "--model.lr_scheduler.milestones=[1]",
               "--model.lr_scheduler.schedulers=[{class_path: LinearLR}, {class_path: ExponentialLR, "
               "init_args: {gamma: 0.5}}]"],
    "ReduceLROnPlateau": [f"--model.lr_scheduler={PLATEAU}", "--model.lr_scheduler.patience=0",
                          "--model.lr_scheduler.threshold=0.5"],
    "averaged weights": ["--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.9"],
    "accumulated gradients": ["--trainer.accumulate_grad_batches=4", "--trainer.max_epochs=11"],
    "validation twice an epoch": ["--trainer.val_check_interval=3"],
    "accumulation that grows": ["--trainer.callbacks+=GradientAccumulationScheduler",
                                "--trainer.callbacks.scheduling={0: 1, 2: 2}", "--trainer.max_epochs=6"],
    "an unfrozen backbone": ["--trainer.callbacks+=BackboneFinetuning",
                             "--trainer.callbacks.unfreeze_backbone_at_epoch=1"],
    "a slow backbone that is frozen first": [*SGD, "--model.lr_scheduler=WarmupCosine", "--model.layer_lr_decay=0.5",
                                             "--model.backbone_lr_scale=0.1", "--model.decay_norms_and_biases=false",
                                             "--trainer.callbacks+=FrozenBackbone"],
    "stochastic weights": ["--trainer.callbacks+=StochasticWeightAveraging", "--trainer.callbacks.swa_lrs=0.01",
                           "--trainer.callbacks.swa_epoch_start=2"],
    "validation across epochs": ["--trainer.val_check_interval=7", "--trainer.check_val_every_n_epoch=null"],
    "new loaders": [*SGD, "--model.lr_scheduler=OneCycle", "--trainer.reload_dataloaders_every_n_epochs=1"],
    "its own checkpoints": ["--trainer.callbacks+=ModelCheckpoint", "--trainer.callbacks.monitor=val/loss",
                            "--trainer.callbacks.save_top_k=2", "--trainer.callbacks.every_n_train_steps=null"],
    "further metrics": ["--model.metrics+=MulticlassF1Score", "--model.metrics+=MulticlassAUROC",
                        "--data.num_classes=6", "--best_checkpoint.monitor=val/macro_auroc"],
    "64 bits": ["--trainer.precision=64-true"],
    "augmentations of all kinds": [
        "--data.augmentations+=torchvision.transforms.v2.ColorJitter", "--data.augmentations.brightness=0.4",
        *(f"--data.augmentations+={name}" for name in ("RandomResizedCrop", "RandomRotation", "RandomErasing",
                                                       "ColorJitter", "TrivialAugment", "MixUp", "CutMix")),
        "--data.augmentations.p=0.5"],
    "classes that count alike": ["--data.balanced=true", "--model.class_weights=effective"],
    "max_steps": ["--trainer.max_epochs=-1", "--trainer.max_steps=22"],
}  # fmt: skip
MOMENTS = [
    ("on_train_batch_start", 3),  # in an epoch
    ("on_train_batch_end", 12),  # at its last step
    ("on_validation_batch_end", 12),
    ("on_validation_end", 6),
    ("on_train_epoch_end", 12),
    ("on_train_epoch_start", 12),
    ("on_train_end", 20),
    ("on_test_batch_end", 20),
]


def run_of(folder: Path) -> Path:
    (config,) = folder.glob("runs/*/*/config.yaml")  # a kill may have left an empty folder before it
    return config.parent


def differences(one: Any, other: Any, name: str = "") -> list[str]:
    """The names of all values that differ by a bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [name]
    if isinstance(one, dict) and isinstance(other, dict):
        named = [difference for key in one.keys() & other.keys()
                 for difference in differences(one[key], other[key], f"{name}.{key}")]  # fmt: skip
        return [*named, *map(str, one.keys() ^ other.keys())]
    if isinstance(one, list | tuple):
        return [difference for index, pair in enumerate(zip(one, other, strict=True))
                for difference in differences(*pair, f"{name}.{index}")]  # fmt: skip
    return [] if one == other else [name]


def content(run: Path) -> dict[str, Any]:
    """All that a run leaves but times, paths, and the counters that Lightning's loops keep of their own restarts."""
    found: dict[str, Any] = {"csv": (run / "metrics.csv").read_text()}
    found["json"] = json.loads((run / "metrics.json").read_text())
    del found["json"]["seconds"], found["json"]["git_commit"]
    for name in ("best", "last"):
        checkpoint = torch.load(run / f"checkpoints/{name}.ckpt", weights_only=True)
        found[name] = {key: value for key, value in checkpoint.items() if key not in ("run", "seconds", "loops")}
        found[name]["callbacks"] = json.loads(json.dumps(checkpoint["callbacks"], default=str).replace(str(run), "RUN"))
        for key, state in found[name]["callbacks"].items():
            if key.startswith("ModelCheckpoint"):
                del state["current_score"]  # which Lightning saves and doesn't load
        if "StochasticWeightAveraging" in found[name]["callbacks"]:  # nothing uses its counts and rates at the end
            found[name] = {"weights": checkpoint["state_dict"], "hooks": checkpoint["callbacks"].get("Hooks")}
    events = EventAccumulator(str(run)).Reload()
    for tag in found["csv"].partition("\n")[0].split(",")[2:]:  # without what the end of a run adds to hparams
        found[tag] = [(event.step, event.value) for event in events.Scalars(tag)]
    return found


def kill_and_resume(
    folder: Path, recipe: list[str], hook: str, step: int, before: Callable[[], None] | None = None
) -> Path:
    kill = {"": "tests.instruments.Kill", ".hook": hook, ".step": step, ".once": folder / "killed"}
    options = [f"--trainer.callbacks{'' if key else '+'}{key}={value}" for key, value in kill.items()]
    assert start(folder, *FIT, *recipe, *options, before=before).wait() == -signal.SIGKILL
    run = run_of(folder)
    finished(folder, "fit", f"--resume={run}", before=before)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the run leaves that is never interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    finished(folder, *FIT)
    return content(run_of(folder))


@pytest.mark.parametrize(("hook", "step"), [*MOMENTS[:4], MOMENTS[-1], ("on_train_batch_end", 1)])
def test_a_killed_run_goes_on_as_if_it_had_never_stopped(
    hook: str, step: int, tmp_path: Path, whole: dict[str, Any]
) -> None:
    run = kill_and_resume(tmp_path, [], hook, step)
    assert differences(whole, content(run)) == []


def test_a_run_killed_before_its_first_checkpoint_begins_anew(tmp_path: Path, whole: dict[str, Any]) -> None:
    run = kill_and_resume(tmp_path, ["--last_checkpoint.every_n_steps=1000"], "on_train_batch_start", 5)
    assert differences(whole, content(run)) == []


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_goes_on_from_every_moment(recipe: str, tmp_path: Path, promise: Promise) -> None:
    finished(tmp_path / "whole", *FIT, *RECIPES[recipe])
    for index, (hook, step) in enumerate(MOMENTS):
        run = kill_and_resume(tmp_path / str(index), RECIPES[recipe], hook, step)
        assert differences(content(run_of(tmp_path / "whole")), content(run)) == [], (hook, step)
    promise(f"Resume, {recipe}: {len(MOMENTS)} kills at chosen moments, all bit-identical")


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments(tmp_path: Path, promise: Promise) -> None:
    moments, arguments = random.Random(0), [*FIT, "--trainer.max_epochs=100000", "--last_checkpoint.every_n_steps=5"]
    for _ in range(20):
        running = start(tmp_path / "killed", *arguments)
        running.process.join(timeout=moments.uniform(0.3, 1.5))
        running.process.kill()
        assert running.wait() == -signal.SIGKILL
        if list((tmp_path / "killed").glob("runs/*/*/config.yaml")):
            arguments = ["fit", f"--resume={run_of(tmp_path / 'killed')}"]
    run = run_of(tmp_path / "killed")
    epochs = torch.load(run / "checkpoints/last.ckpt", weights_only=True)["epoch"] + 2
    finished(tmp_path / "killed", *arguments, f"--trainer.max_epochs={epochs}")
    finished(tmp_path / "whole", *FIT, "--last_checkpoint.every_n_steps=5", f"--trainer.max_epochs={epochs}")
    assert differences(content(run_of(tmp_path / "whole")), content(run)) == []
    promise(f"Resume: 20 kills of one run of {epochs} epochs at random moments, then bit-identical to one without")


def test_a_run_goes_on_in_a_new_folder_with_its_best_checkpoint(tmp_path: Path) -> None:
    frozen = [*FIT, "--model.optimizer=SGD", "--model.optimizer.lr=0", "--best_checkpoint.monitor=val/acc"]
    finished(tmp_path / "first", *frozen, "--trainer.max_epochs=2")
    first = run_of(tmp_path / "first")
    last = f"--ckpt_path={first / 'checkpoints/last.ckpt'}"
    finished(tmp_path / "second", *frozen, last)
    best = torch.load(run_of(tmp_path / "second") / "checkpoints/best.ckpt", weights_only=True)
    assert (best["epoch"], best["run"]) == (0, str(first))
    (first / "checkpoints/best.ckpt").unlink()
    finished(tmp_path / "third", *frozen, last)
    best = torch.load(run_of(tmp_path / "third") / "checkpoints/best.ckpt", weights_only=True)
    assert (best["epoch"], best["run"]) == (2, str(run_of(tmp_path / "third")))


def test_a_finished_run_goes_on_for_more_epochs(tmp_path: Path, whole: dict[str, Any]) -> None:
    finished(tmp_path / "first", *FIT, "--trainer.max_epochs=2")
    run = run_of(tmp_path / "first")
    again = start(tmp_path / "again", "fit", f"--resume={run}")
    assert again.wait() == 2
    cure = "--trainer.max_epochs above 2 goes on with it"
    assert again.err.splitlines()[-1] == f"error: --resume {run} is finished: {cure}"
    finished(tmp_path / "again", "fit", f"--resume={run}", "--trainer.max_epochs=4")
    assert differences(whole, content(run)) == []
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert (config["resume"], config["ckpt_path"]) == (None, None)  # so that it fits anew


def test_a_finished_run_of_steps_is_tested_again(tmp_path: Path) -> None:
    finished(tmp_path, *FIT, "--trainer.max_epochs=null", "--trainer.max_steps=12")
    run = run_of(tmp_path)
    before = content(run)
    finished(tmp_path, "fit", f"--resume={run}")
    assert differences(before, content(run)) == []


def test_options_of_a_resumed_run(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    assert list(resumed(["fit", "--resume", str(tmp_path)])) == [f"--config={tmp_path}/config.yaml"]
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/last.ckpt").touch()
    expected = [f"--config={tmp_path}/config.yaml", f"--ckpt_path={tmp_path}/checkpoints/last.ckpt"]
    assert list(resumed(["fit", f"--resume={tmp_path}", "--trainer.max_epochs=3"])) == expected
    assert list(resumed(["fit", "--trainer.max_epochs=3"])) == []


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run folder: it has no config.yaml$"):
        list(resumed(["fit", "--resume", str(tmp_path)]))
