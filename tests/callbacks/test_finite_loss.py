from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from classifiers.cli import main
from tests.conftest import SMALL


class Diverging(nn.Module):
    """Cross-entropy, but `value` times that after `at` calls; validation calls it too."""

    def __init__(self, at: int, value: float) -> None:
        super().__init__()
        self.calls, self.at, self.value = 0, at, value

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        self.calls += 1
        loss = nn.functional.cross_entropy(logits, targets)
        return loss * self.value if self.calls > self.at else loss


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize(("at", "step"), [(0, 0), (4, 4), (5, 5), (7, 6)])  # 6 steps and one validation batch an epoch
def test_a_diverged_fit_names_the_step_and_keeps_the_last_good_checkpoint(
    value: str, at: int, step: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loss = [f"--model.loss={__name__}.Diverging", f"--model.loss.at={at}", f"--model.loss.value=.{value}"]
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
