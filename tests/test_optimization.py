from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch import seed_everything
from torch.optim import lr_scheduler

from classifiers import ConvNet, ImageClassifier
from classifiers.experiment.errors import UserError
from classifiers.optimization import OneCycle
from tests.small_models import small, synthetic, trained


def test_weight_decay_can_spare_norms_and_biases() -> None:
    data = synthetic()
    net = ConvNet(1, 16, 4, widths=(4, 4), depth=1)
    model = ImageClassifier(net, partial(torch.optim.SGD, lr=0.1, weight_decay=0.5), decay_norms_and_biases=False)
    optimizer = trained(model, data, max_epochs=1).optimizers[0]
    assert [(group["weight_decay"], {p.ndim for p in group["params"]}) for group in optimizer.param_groups] == [
        (0.5, {2, 4}),
        (0.0, {1}),
    ]


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


@pytest.mark.filterwarnings("ignore:A `OneCycleLR` scheduler is using 'interval'. 'epoch'")
@pytest.mark.parametrize(("interval", "steps"), [("step", 12), ("epoch", 2)])
def test_one_cycle_ends_with_the_run(interval: Any, steps: int) -> None:
    model = small(
        synthetic(batch_size=60),
        optimizer=partial(torch.optim.SGD, lr=0.1),
        lr_scheduler=partial(lr_scheduler.OneCycleLR, max_lr=1.0),
        lr_scheduler_interval=interval,
    )
    trainer = trained(model, synthetic(batch_size=60))
    (config,) = trainer.lr_scheduler_configs
    assert config.scheduler.total_steps == steps  # type: ignore[union-attr]
    assert config.scheduler.last_epoch == steps


@pytest.mark.filterwarnings("ignore:A `OneCycleLR` scheduler is using 'interval'. 'epoch'")
def test_a_schedule_shorter_than_the_run_is_refused_before_it_starts() -> None:
    model = small(
        synthetic(),
        lr_scheduler=partial(lr_scheduler.OneCycleLR, max_lr=1.0, total_steps=1),
        optimizer=partial(torch.optim.SGD, lr=0.1),
    )
    with pytest.raises(UserError, match="schedule ends after 1 epochs, the run after 2"):
        trained(model, synthetic())


def test_a_run_without_end_has_no_one_cycle() -> None:
    model = small(synthetic(), optimizer=torch.optim.SGD, lr_scheduler=partial(lr_scheduler.OneCycleLR, max_lr=1.0))
    with pytest.raises(UserError, match="schedule ends with the run, which has no end: give one --trainer"):
        trained(model, synthetic(), max_epochs=-1)


def test_plateau_watches_its_monitor() -> None:
    seed_everything(0)
    plateau = partial(lr_scheduler.ReduceLROnPlateau, mode="max", patience=0, threshold=10.0)
    sgd = partial(torch.optim.SGD, lr=0.1)
    model = small(synthetic(), optimizer=sgd, lr_scheduler=plateau, lr_scheduler_monitor="val/acc")
    trainer = trained(model, synthetic(), max_epochs=3)
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.1 * 0.1 * 0.1)


@pytest.mark.parametrize(
    ("optimizer", "scheduler", "reason"),
    [
        (partial(torch.optim.SGD, lr=-1), None, "Invalid learning rate: -1"),
        (torch.optim.SGD, lr_scheduler.StepLR, "missing 1 required positional argument: 'step_size'"),
    ],
)
def test_an_optimizer_that_cannot_be_made_is_a_users_mistake(optimizer: Any, scheduler: Any, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        trained(small(synthetic(), optimizer=optimizer, lr_scheduler=scheduler), synthetic())
