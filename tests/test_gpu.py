"""What only a GPU can show."""

import io
from pathlib import Path
from typing import Any

import pytest
import rich
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console

from classifiers.cli import main
from classifiers.data.on_device import free_memory
from classifiers.experiment.training.readout import Readout
from tests.conftest import SMALL, Cli
from tests.experiment.checkpoints.test_resume import FIT, SGD, content, differences, kill_and_resume, run_of
from tests.processes import finished

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU"),
]
ON_GPU = ["--trainer.accelerator=gpu", "--trainer.devices=1"]
NET = ["--model.net=ConvNet", "--model.net.widths=[32]", "--model.channels_last=true", *SGD]
BF16 = "--trainer.precision=bf16-mixed"
COMPILED = "--model.compile=reduce-overhead"


def test_a_fit_keeps_its_images_on_the_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = ["--trainer.enable_progress_bar=true", f"--trainer.default_root_dir={tmp_path}"]
    main(["fit", *SMALL, *ON_GPU, *NET, BF16, *shown])
    assert "360 to train, 40 to validate, 0 MiB of them on cuda:0" in capsys.readouterr().out
    assert 0 < free_memory(torch.device("cuda", 0)) < torch.cuda.get_device_properties(0).total_memory


@pytest.mark.parametrize("where", ["true", "false"])
def test_images_come_in_the_order_of_a_cpu_wherever_they_are(where: str, tmp_path: Path) -> None:
    """At a rate of nothing, the losses of two steps each tell which images these had."""
    still = ["--model.net=MLP", "--model.optimizer=SGD", "--model.optimizer.lr=0", "--data.augmentations=[]"]
    finished(tmp_path / "cpu", *FIT, *still)
    finished(tmp_path / "gpu", *FIT, *still, *ON_GPU, f"--data.on_device={where}")
    cpu, gpu = ([loss for _, loss in content(run_of(tmp_path / name))["train/loss"]] for name in ("cpu", "gpu"))
    assert len(set(cpu)) == 12
    assert gpu == pytest.approx(cpu, rel=1e-4)


@pytest.mark.parametrize("options", [[], [BF16], [BF16, COMPILED]], ids=["fp32", "bf16", "compiled"])
def test_a_killed_run_goes_on_to_the_same_bits(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    recipe = [*NET, *ON_GPU, "--trainer.deterministic=true", *options]
    finished(tmp_path / "whole", *FIT, *recipe)
    run = kill_and_resume(tmp_path / "killed", recipe, "on_train_batch_start", 9)
    assert differences(content(run_of(tmp_path / "whole")), content(run)) == []


class NoWaits(Callback):
    """Makes an error of each wait for the device between the logs of steps 50 and 100."""

    done = False

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == 55:
            torch.cuda.set_sync_debug_mode("error")
        elif trainer.global_step == 95:
            torch.cuda.set_sync_debug_mode("default")
            NoWaits.done = True


@pytest.mark.parametrize("options", [[], [COMPILED]], ids=["eager", "compiled"])
def test_no_step_waits_between_two_logs(options: list[str], fit: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(rich, "get_console", lambda: console)
    crop = ["--data.augmentations+=RandomCrop", "--data.augmentations.padding=2"]
    watched = ["--trainer.enable_progress_bar=true", "--trainer.log_every_n_steps=50", "--trainer.gradient_clip_val=1"]
    many = ["--data.batch_size=4", "--data.train_size=1000", *crop, f"--trainer.callbacks+={__name__}.NoWaits"]
    monkeypatch.setattr(NoWaits, "done", False)
    try:
        fit(*NET, *ON_GPU, BF16, *many, *watched, *options)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert NoWaits.done


@pytest.mark.parametrize(
    "options",
    [
        ["--trainer.accumulate_grad_batches=2", "--trainer.gradient_clip_val=0.5"],
        ["--model.average_flips=true", "--data.eval_batch_size=100"],
        ["--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.5"],
        ["--model.compile=default"],
        ["--model.compile=max-autotune"],
    ],
    ids=lambda options: options[0],
)
def test_a_compiled_fit_learns_as_one_that_is_not(options: list[str], tmp_path: Path) -> None:
    finished(tmp_path / "eager", *FIT, *NET, *ON_GPU, BF16, *[o for o in options if "compile" not in o])
    finished(tmp_path / "compiled", *FIT, *NET, *ON_GPU, BF16, COMPILED, *options)
    eager, compiled = (content(run_of(tmp_path / name))["json"] for name in ("eager", "compiled"))
    assert compiled["val/loss"] == pytest.approx(eager["val/loss"], rel=0.1)
    checkpoint = run_of(tmp_path / "compiled") / "checkpoints/best.ckpt"
    weights = torch.load(checkpoint, weights_only=True)["state_dict"]
    assert not [name for name in weights if "_orig_mod" in name]
    finished(tmp_path / "export", "export", str(checkpoint), str(tmp_path / "x.pt2"))


def test_a_readout_waits_for_nothing() -> None:
    read, value = Readout(), torch.ones((), device="cuda")
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        torch.cuda._sleep(10**8)
        assert read({"value": value * 2}) == {}
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    assert read({"value": value * 3}) == {"value": 2.0}
