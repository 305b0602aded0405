import warnings
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch import seed_everything
from lightning.pytorch.callbacks import BackboneFinetuning, GradientAccumulationScheduler
from lightning.pytorch.cli import ReduceLROnPlateau
from torch.optim import lr_scheduler

from classifiers import ConvNet, ImageClassifier
from classifiers.experiment.errors import UserError
from classifiers.optimization import natural_interval
from classifiers.schedules import OneCycle, WarmupCosine
from tests.conftest import SMALL, Fails
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


def test_a_schedule_shorter_than_the_run_is_refused_before_it_starts() -> None:
    model = small(
        synthetic(),
        lr_scheduler=partial(lr_scheduler.OneCycleLR, max_lr=1.0, total_steps=1),
        optimizer=partial(torch.optim.SGD, lr=0.1),
    )
    with pytest.raises(UserError, match="schedule ends after 1 steps, the run after 6"):
        trained(model, synthetic())


@pytest.mark.parametrize(
    ("schedule", "interval"),
    [
        (OneCycle, "step"),
        (partial(lr_scheduler.OneCycleLR, max_lr=1.0), "step"),
        (partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.1), "step"),
        (partial(lr_scheduler.StepLR, step_size=1), "epoch"),
        (partial(lr_scheduler.CosineAnnealingLR, T_max=2), "epoch"),
    ],
)
def test_a_schedule_counts_in_its_own_unit(schedule: Any, interval: str) -> None:
    sgd = partial(torch.optim.SGD, lr=0.1)
    for given, expected in ((None, interval), ("epoch", "epoch"), ("step", "step")):
        model = small(synthetic(), optimizer=sgd, lr_scheduler=schedule, lr_scheduler_interval=given)
        assert natural_interval(schedule) == interval
        with warnings.catch_warnings(action="ignore"):  # Lightning's, of OneCycleLR by epochs
            (config,) = trained(model, synthetic(), max_epochs=1, limit_train_batches=2).lr_scheduler_configs
        assert config.interval == expected


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


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_plateaus_own_monitor_is_watched(mode: str) -> None:
    """It cuts the rate where accuracy rises, of another mode than `max`."""
    plateau = partial(ReduceLROnPlateau, monitor="val/acc", mode=mode)
    model = small(synthetic(), optimizer=partial(torch.optim.SGD, lr=0.1), lr_scheduler=plateau)
    if mode == "max":
        (config,) = trained(model, synthetic(), max_epochs=1).lr_scheduler_configs
        assert (config.monitor, config.reduce_on_plateau) == ("val/acc", True)
    else:
        with pytest.raises(UserError, match="watches val/acc with mode min, and more of it is better: mode max$"):
            trained(model, synthetic(), max_epochs=1)


def test_the_default_monitor_of_a_plateau_is_a_loss() -> None:
    for mode, line in (("max", "watches val/loss with mode max, and less of it is better: mode min"), ("min", None)):
        plateau = partial(lr_scheduler.ReduceLROnPlateau, mode=mode)
        model = small(synthetic(), optimizer=partial(torch.optim.SGD, lr=0.1), lr_scheduler=plateau)
        with pytest.raises(UserError, match=line) if line else nullcontext():
            trained(model, synthetic(), max_epochs=1)


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


@pytest.mark.parametrize(
    ("optimizer", "layout", "line"),
    [
        ("SparseAdam", "false", "SparseAdam takes sparse gradients alone, and those of images are dense: take Adam"),
        ("LBFGS", "true", "LBFGS takes gradients that lie in one piece: give it --model.channels_last false"),
    ],
)
def test_an_optimizer_that_images_cannot_use_is_one_line(optimizer: str, layout: str, line: str, fails: Fails) -> None:
    net = ["--model.net=ConvNet", "--model.net.widths=[4,4]", f"--model.channels_last={layout}"]
    assert fails("fit", *SMALL, *net, f"--model.optimizer={optimizer}") == f"error: {line}"


def test_a_functions_total_steps_are_the_runs() -> None:
    def falling(optimizer: torch.optim.Optimizer, total_steps: int) -> lr_scheduler.LRScheduler:
        return lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_steps)

    model = small(synthetic(), optimizer=partial(torch.optim.SGD, lr=0.1), lr_scheduler=falling)
    (config,) = trained(model, synthetic()).lr_scheduler_configs
    assert (config.interval, config.scheduler.total_iters) == ("step", 6)  # type: ignore[union-attr]


def test_one_cycle_ends_with_a_run_whose_accumulation_grows() -> None:
    data = synthetic(batch_size=60)
    model = small(data, optimizer=partial(torch.optim.SGD, lr=0.1), lr_scheduler=OneCycle)
    growing = GradientAccumulationScheduler({1: 4})
    (config,) = trained(model, data, max_epochs=3, callbacks=[growing]).lr_scheduler_configs
    assert config.scheduler.total_steps == config.scheduler.last_epoch == 6 + 2 + 2  # type: ignore[union-attr]


def test_one_cycle_leaves_groups_that_were_added_since_to_whoever_added_them() -> None:
    first, later = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    alone, both = (torch.optim.SGD([first], lr=1.0) for _ in range(2))
    schedules = [OneCycle(optimizer, total_steps=5) for optimizer in (alone, both)]
    both.add_param_group({"params": [later], "lr": 0.25})
    for rate in (0.25, 0.5, 0.5):
        both.param_groups[1]["lr"] = rate
        for optimizer, schedule in zip((alone, both), schedules, strict=True):
            optimizer.step()
            schedule.step()
        assert [group["lr"] for group in both.param_groups] == [alone.param_groups[0]["lr"], rate]


def test_the_rate_of_a_classifier_can_be_set() -> None:
    model = small(synthetic(), optimizer=partial(torch.optim.SGD, lr=0.5))
    assert model.lr == 0.5
    model.lr = 0.25
    assert model.lr == 0.25
    assert model.hparams["optimizer"] == {"class_path": "torch.optim.sgd.SGD", "init_args": {"lr": 0.25}}
    assert small(synthetic()).lr == 1e-3


@pytest.mark.parametrize("decays", [True, False])
def test_layers_learn_at_shares_of_the_rate_and_the_head_first(decays: bool) -> None:
    net = ConvNet(1, 16, 4, widths=(4, 8), depth=1)
    model = ImageClassifier(
        net, partial(torch.optim.SGD, lr=0.8), decay_norms_and_biases=decays, backbone_lr_scale=0.5, layer_lr_decay=0.25
    )
    trainer = trained(model, synthetic(), max_epochs=1, limit_train_batches=1)
    shares = {name: group["lr"] for group in trainer.optimizers[0].param_groups for name, parameter in
              net.named_parameters() if any(parameter is one for one in group["params"])}  # fmt: skip
    first, second = (0.8 * 0.5 * 0.25**depth for depth in (2, 1))
    rates = dict.fromkeys(("backbone.0.weight", "backbone.2.weight", "backbone.2.bias"), first)
    rates |= dict.fromkeys(("backbone.4.weight", "backbone.6.weight", "backbone.6.bias"), second)
    assert shares == rates | {"head.weight": 0.8, "head.bias": 0.8}
    assert trainer.optimizers[0].param_groups[0]["lr"] == 0.8


@pytest.mark.parametrize("schedule", [OneCycle, WarmupCosine, partial(lr_scheduler.StepLR, step_size=1)])
def test_a_schedule_keeps_the_shares(schedule: Any) -> None:
    sgd = partial(torch.optim.SGD, lr=0.1)
    model = small(synthetic(), optimizer=sgd, lr_scheduler=schedule, backbone_lr_scale=0.25)
    head, backbone = trained(model, synthetic(), max_steps=2).optimizers[0].param_groups
    assert backbone["lr"] == pytest.approx(head["lr"] / 4)


MISTAKES = {
    "torch's OneCycleLR": (
        {"lr_scheduler": partial(lr_scheduler.OneCycleLR, max_lr=1.0)},
        "OneCycleLR has one rate for",
    ),
    "no positive scale": ({"backbone_lr_scale": 0.0}, "--model.backbone_lr_scale is 0.0: it must be more than 0"),
    "no positive decay": ({"layer_lr_decay": -1.0}, "--model.layer_lr_decay is -1.0: it must be more than 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_shares_of_the_rate_that_cannot_be(mistake: str) -> None:
    arguments, line = MISTAKES[mistake]
    model = small(synthetic(), **{"optimizer": partial(torch.optim.SGD, lr=0.1), "backbone_lr_scale": 0.1, **arguments})
    with pytest.raises(UserError, match=line):
        trained(model, synthetic())


def test_whoever_unfreezes_a_backbone_gives_it_its_rate() -> None:
    model = small(synthetic(), backbone_lr_scale=0.1)
    with pytest.raises(UserError, match="take FrozenBackbone for it$"):
        trained(model, synthetic(), callbacks=[BackboneFinetuning()])
