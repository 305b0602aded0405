import signal
from pathlib import Path

import pytest
import torch

from tests.conftest import SMALL
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.processes import finished, start

FIT = ["fit", *SMALL, "--trainer.default_root_dir=runs"]  # 6 steps an epoch


def signalled(folder: Path, number: int, hook: str, step: int) -> tuple[int, str]:
    """Exit code and last line, if any, of a fit that gets the signal `number` in the first `hook` after `step`."""
    options = {"": "tests.instruments.Kill", ".hook": hook, ".step": step, ".once": folder / "sent", ".number": number}
    callback = [f"--trainer.callbacks{'' if key else '+'}{key}={value}" for key, value in options.items()]
    running = start(folder, *FIT, *callback)
    return running.wait(), "".join(running.out.splitlines()[-1:])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("hook", "step", "saved"),
    [("on_train_batch_end", 3, 3), ("on_validation_batch_end", 6, 6), ("on_validation_batch_end", 12, 12)],
)
def test_a_signal_ends_training_when_the_next_step_begins(
    number: int, code: int, hook: str, step: int, saved: int, tmp_path: Path
) -> None:
    found, line = signalled(tmp_path, number, hook, step)
    last = run_of(tmp_path) / "checkpoints/last.ckpt"
    assert (found, line) == (code, f"Stopped before step {saved}: saved {last}")
    assert torch.load(last, weights_only=True)["global_step"] == saved


def test_a_stopped_run_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    finished(tmp_path / "whole", *FIT)
    signalled(tmp_path, signal.SIGTERM, "on_train_batch_end", 3)
    finished(tmp_path, "fit", f"--resume={run_of(tmp_path)}")
    assert differences(content(run_of(tmp_path / "whole")), content(run_of(tmp_path))) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("hook", ["setup", "on_test_batch_end"])
def test_outside_of_training_a_signal_ends_the_program_at_once(
    number: int, code: int, hook: str, tmp_path: Path
) -> None:
    found, _ = signalled(tmp_path, number, hook, 0)
    assert found == code
    assert (hook == "setup") == (not list(tmp_path.glob("runs/*/*")))
