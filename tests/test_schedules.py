from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import ExponentialLR, LinearLR, LRScheduler

from classifiers import open_run
from classifiers.schedules import AtOnce, InTurn, OneCycle, WarmupCosine
from tests.conftest import SMALL, Cli, Fails

TWO = """
model:
  optimizer: {{class_path: torch.optim.SGD, init_args: {{lr: 0.1}}}}
  lr_scheduler:
    class_path: {kind}
    init_args:
      schedulers:
        - {{class_path: torch.optim.lr_scheduler.LinearLR, init_args: {{start_factor: 0.5, total_iters: 1}}}}
        - {{class_path: torch.optim.lr_scheduler.ExponentialLR, init_args: {{gamma: 0.1}}}}
"""
MILESTONES = "      milestones: [1]\n"


def rates(make: Any, steps: int) -> list[float]:
    """Those of an optimiser of rate 1 in as many steps."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule: LRScheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found += [optimizer.param_groups[0]["lr"]]
        optimizer.step()
        schedule.step()
    return found


def test_one_cycle_rises_to_the_optimizers_own_rate_and_falls_in_straight_lines() -> None:
    groups = [{"params": [torch.zeros(1)], "lr": rate, "momentum": 0.9} for rate in (1.0, 0.5)]
    optimizer = torch.optim.SGD(groups)
    schedule = OneCycle(optimizer, total_steps=10, pct_start=0.3)
    rates = []
    for _ in range(10):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    first, second = zip(*rates, strict=True)
    assert first == pytest.approx([0.04, 0.52, *(1 - step / 7 for step in range(8))], abs=1e-5)
    assert second == pytest.approx([rate / 2 for rate in first])
    assert {group["momentum"] for group in optimizer.param_groups} == {0.9}


def test_one_cycle_may_rise_in_a_single_step() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = OneCycle(optimizer, total_steps=5)
    rates = []
    for _ in range(5):
        rates += [optimizer.param_groups[0]["lr"]]
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([1, 0.75, 0.5, 0.25, 0], abs=1e-5)


def test_warm_up_and_cosine_decay() -> None:
    found = rates(partial(WarmupCosine, total_steps=7, pct_start=0.4), 9)
    assert found == pytest.approx([0.25, 0.5, 0.75, 1, 0.853553, 0.5, 0.146447, 0, 0], abs=1e-6)
    assert rates(partial(WarmupCosine, total_steps=2, pct_start=0), 2) == pytest.approx([1, 0.5])


@pytest.mark.parametrize(("total_steps", "pct_start"), [(None, 0.1), (0, 0.1), (5, 1.0), (5, -0.1)])
def test_a_warm_up_has_a_length_and_a_share(total_steps: int | None, pct_start: float) -> None:
    with pytest.raises(ValueError, match=f"total_steps is {total_steps} and pct_start {pct_start}"):
        rates(partial(WarmupCosine, total_steps=total_steps, pct_start=pct_start), 1)


def test_schedules_in_turn_and_at_once() -> None:
    several = [partial(LinearLR, start_factor=0.5, total_iters=1), partial(ExponentialLR, gamma=0.1)]
    assert rates(partial(InTurn, schedulers=several, milestones=[2]), 4) == pytest.approx([0.5, 1, 1, 0.1])
    assert rates(partial(AtOnce, schedulers=several), 3) == pytest.approx([0.5, 0.1, 0.01])


@pytest.mark.parametrize(("kind", "rate"), [("InTurn", 0.01), ("AtOnce", 0.001)])
def test_a_config_names_several_schedules(kind: str, rate: float, fit: Cli, tmp_path: Path) -> None:
    config = tmp_path / "two.yaml"
    config.write_text(TWO.format(kind=kind) + (MILESTONES if kind == "InTurn" else ""))
    run = fit(f"--config={config}")
    saved = torch.load(run / "checkpoints/last.ckpt", weights_only=True)["optimizer_states"][0]["param_groups"][0]
    assert saved["lr"] == pytest.approx(rate)
    assert open_run(run).model.lr_scheduler.keywords.keys() >= {"schedulers"}


@pytest.mark.parametrize("kind", ["SequentialLR", "ChainedScheduler"])
def test_torchs_classes_of_several_are_one_line(kind: str, fails: Fails, tmp_path: Path) -> None:
    config = tmp_path / "two.yaml"
    config.write_text(TWO.format(kind=kind) + (MILESTONES if kind == "SequentialLR" else ""))
    line = "in place of SequentialLR a config names InTurn, of ChainedScheduler AtOnce"
    assert fails("fit", *SMALL, f"--config={config}") == f"error: --model.lr_scheduler: {line}"


def test_a_function_with_options_is_one_line(fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "falling.py").write_text(
        "from torch.optim import Optimizer, lr_scheduler\n\n\n"
        "def falling(optimizer: Optimizer, gamma: float = 0.5) -> lr_scheduler.LRScheduler:\n"
        "    return lr_scheduler.ExponentialLR(optimizer, gamma)\n"
    )
    line = fails("fit", *SMALL, "--model.lr_scheduler=falling.falling", "--model.lr_scheduler.gamma=0.1")
    assert line.startswith("error: model.lr_scheduler: a function takes no options, gamma is one: name a class")
