import subprocess
import sys
from pathlib import Path

import pytest
import torch

from classifiers import open_run
from classifiers.callbacks import FrozenBackbone
from tests.conftest import SMALL
from tests.experiment.checkpoints.test_resume import FIT, content, differences, kill_and_resume, run_of
from tests.processes import finished
from tests.small_models import small, synthetic, trained

OPTIONS = ["--trainer.callbacks+=FrozenBackbone", "--model.backbone_lr_scale=0.1"]


def test_the_backbone_begins_to_learn_with_the_epoch() -> None:
    torch.manual_seed(0)
    model = small(synthetic())
    before = {name: value.clone() for name, value in model.state_dict().items() if name.startswith("net.")}
    trained(model, synthetic(), callbacks=[FrozenBackbone(epochs=2)], max_epochs=2)
    after = model.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"net.head.weight", "net.head.bias"}
    assert all(parameter.requires_grad for parameter in model.parameters())
    trained(model, synthetic(), callbacks=[FrozenBackbone(epochs=1)], max_epochs=2)
    assert all(not torch.equal(value, model.state_dict()[name]) for name, value in before.items())


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    finished(tmp_path / "whole", *FIT, *OPTIONS)
    for step in (3, 9):  # while it is frozen, and after
        run = kill_and_resume(tmp_path / str(step), OPTIONS, "on_train_batch_start", step)
        assert differences(content(run_of(tmp_path / "whole")), content(run)) == []


@pytest.mark.slow
def test_two_processes_come_to_what_one_does(tmp_path: Path) -> None:
    sgd = ["--model.optimizer=SGD", "--model.optimizer.lr=0.1", "--trainer.default_root_dir=runs"]
    ddp = ["--trainer.devices=2", "--trainer.strategy=ddp", "--data.batch_size=32"]
    losses = []
    for name, options in (("one", []), ("two", ddp)):
        folder = tmp_path / name
        folder.mkdir()
        fit = ["fit", *SMALL, *OPTIONS, *sgd, *options]
        subprocess.run([sys.executable, "-m", "classifiers", *fit], cwd=folder, check=True)
        losses.append(open_run(run_of(folder)).metrics["val/loss"])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
