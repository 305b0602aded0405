import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from classifiers.cli import main
from classifiers.experiment.paths import project_root
from classifiers.experiment.sampling.other_batches import stretched
from tests.conftest import SMALL, Fails
from tests.experiment.checkpoints.test_resume import run_of
from tests.small_models import MLP

FIT = [
    "fit",
    *SMALL,
    "--data=tests.instruments.Numbered",
    "--model.optimizer=SGD",
    "--model.optimizer.lr=0.1",
    "--model.lr_scheduler=OneCycle",
    "--model.lr_scheduler_interval=step",
    "--trainer.max_epochs=4",
    "--trainer.default_root_dir=runs",
    "--trainer.callbacks+=tests.instruments.Seen",
    "--trainer.callbacks.log=seen.txt",
    "--last_checkpoint.every_n_steps=1",
]  # 360 images, 6 steps an epoch
IMAGES = 360


def stopped(hook: str, step: int, *options: str) -> Path:
    """A fit that SIGTERM stops."""
    kill = {"hook": hook, "step": step, "once": "once", "number": 15}
    own = ["--trainer.callbacks+=tests.instruments.Kill", *(f"--trainer.callbacks.{k}={v}" for k, v in kill.items())]
    with pytest.raises(SystemExit) as end:
        main([*FIT, *own, *options])
    assert end.value.code == 143
    return run_of(Path.cwd())


def seen() -> list[tuple[int, int, float]]:
    rows = [line.split() for line in Path("seen.txt").read_text().splitlines()]
    return [(int(epoch), int(number), float(rate)) for epoch, number, rate in rows]


@pytest.mark.parametrize(
    ("hook", "step"), [("on_train_batch_end", 2), ("on_train_batch_end", 9), ("on_train_epoch_end", 12)]
)
@pytest.mark.parametrize("options", [["--data.batch_size=16"], ["--data.batch_size=128"], ["--data.batch_size=100"],
                                     ["--trainer.accumulate_grad_batches=2"]])  # fmt: skip
def test_each_image_is_seen_once_an_epoch_and_the_schedule_ends_with_the_run(
    hook: str, step: int, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = stopped(hook, step)
    # one batch more than was counted was begun, and is begun again
    rows = seen()[: step // 6 * IMAGES + step % 6 * 64]
    Path("seen.txt").write_text("".join(f"{epoch} {number} {rate}\n" for epoch, number, rate in rows))
    main(["fit", f"--resume={run}", *options])
    assert "steps now, and had 6: it goes on behind " in capsys.readouterr().out
    counts = Counter((epoch, number) for epoch, number, _ in seen())
    assert len({number for _, number in counts}) == IMAGES
    assert set(counts.values()) == {1}
    assert len(counts) == 4 * IMAGES
    rates = [rate for _, _, rate in seen()]
    assert rates[-1] < 0.03
    assert max(rates) == pytest.approx(0.1, abs=0.02)
    before, after = rates[len(rows) - 1], rates[len(rows)]
    assert after == pytest.approx(before, abs=0.03)


@pytest.mark.slow
def test_two_processes_go_on_behind_the_images_that_one_had() -> None:
    run = stopped("on_train_batch_end", 2)
    Path("seen.txt").write_text("".join(f"{' '.join(map(str, row))}\n" for row in seen()[:128]))
    two = ["--trainer.devices=2", "--trainer.strategy=ddp"]
    command = [sys.executable, "-m", "classifiers", "fit", f"--resume={run}", *two]
    paths = os.pathsep.join([str(project_root()), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths})
    counts = Counter((epoch, number) for epoch, number, _ in seen())
    assert set(counts.values()) == {1}
    assert len(counts) == 4 * IMAGES
    assert seen()[-1][2] < 0.03


def test_a_finished_run_that_goes_on_with_fewer_steps_is_one_line(fails: Fails) -> None:
    main([*FIT, "--trainer.max_epochs=2"])
    run = run_of(Path.cwd())
    line = fails("fit", f"--resume={run}", "--data.batch_size=128", "--trainer.max_epochs=3")
    assert line.startswith(
        "error: the learning-rate schedule ends after 6 steps, the run after 9: train less, or start"
    )


def test_a_schedule_that_counts_steps_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    run = stopped("on_train_batch_end", 2, "--model.lr_scheduler=StepLR", "--model.lr_scheduler.step_size=100")
    main(["fit", f"--resume={run}", "--data.batch_size=32"])
    assert "StepLR counts steps, and goes on by their number" in capsys.readouterr().out


@pytest.mark.parametrize("three_phase", [False, True])
def test_a_stretched_schedule_is_one_of_its_length(three_phase: bool) -> None:
    def made(steps: int) -> OneCycleLR:
        optimizer = SGD(MLP(1, 4, 2).parameters(), lr=1.0, momentum=0.9)
        schedule = OneCycleLR(optimizer, 1.0, steps, three_phase=three_phase)
        for _ in range(steps // 4):
            optimizer.step()
            schedule.step()
        return schedule

    found, expected = stretched(made(100).state_dict(), 0.4, 10), made(40).state_dict()
    for phase, other in zip(found.pop("_schedule_phases"), expected.pop("_schedule_phases"), strict=True):
        assert phase["end_step"] == pytest.approx(other["end_step"], abs=1)
    for state in (found, expected):
        del state["_last_lr"]
    assert found == expected
