from pathlib import Path

import pytest
import torch

from classifiers.cli import main
from tests.conftest import SMALL


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize(("at", "step"), [(0, 0), (4, 4), (5, 5), (7, 6)])  # 6 steps and one validation batch an epoch
def test_a_diverged_fit_names_the_step_and_keeps_the_last_good_checkpoint(
    value: str, at: int, step: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loss = ["--model.loss=tests.instruments.Diverging", f"--model.loss.at={at}", f"--model.loss.value=.{value}"]
    options = ["--last_checkpoint.every_n_steps=1", "--trainer.num_sanity_val_steps=0"]
    with pytest.raises(SystemExit) as exit_info:
        main(["fit", *SMALL, *loss, *options, f"--trainer.default_root_dir={tmp_path}"])
    assert exit_info.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    cure = "lower the learning rate; any checkpoint is from before"
    assert line == f"error: the loss at step {step} is {value}: {cure}"
    checkpoints = list(tmp_path.glob("*/*/checkpoints/*.ckpt"))
    assert all(torch.load(path, weights_only=True)["global_step"] <= step for path in checkpoints)
    assert {path.stem for path in checkpoints} == ({"best", "last"} if step > 5 else {"last"} if step else set())


def test_of_accumulated_losses_none_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loss = ["--model.loss=tests.instruments.Diverging", "--model.loss.at=2", "--model.loss.value=.nan"]
    options = ["--trainer.accumulate_grad_batches=2", "--trainer.num_sanity_val_steps=0"]
    with pytest.raises(SystemExit):
        main(["fit", *SMALL, *loss, *options, f"--trainer.default_root_dir={tmp_path}"])
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: the loss at step 1 is nan: ")
