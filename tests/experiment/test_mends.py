"""Each mend fails here when Lightning renames what it needs, or goes right by itself."""

import ast
import copy
import functools
import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch import cli as lightning_cli
from lightning.pytorch.callbacks import BatchSizeFinder, EMAWeightAveraging, ModelCheckpoint, ModelPruning
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.core.mixins import hparams_mixin
from lightning.pytorch.demos.boring_classes import RandomDataset
from lightning.pytorch.profilers import PassThroughProfiler
from lightning.pytorch.trainer.connectors.logger_connector import result as logger_result
from torch import Tensor
from torch.utils.data import DataLoader

import classifiers
from classifiers.experiment.checkpoints.reading import LIGHTNINGS
from classifiers.experiment.mends import callbacks, command_line, loops, steps
from tests import small_models

PRIVATE = {
    "_given_hyperparameters",
    "_InstantiatorFn",
    "_current_fx_name",
    "_restarting",
    "_batches_that_stepped",
    "_results",
    "_logger_connector",
    "_broadcast_sigterm_tensor",
    "_progress_bar_metrics",
    "_enable_version_counter",
    "_average_model",
    "_copy_param",
    "_batch_arg_name",
    "_parse_ckpt_path",
    "_add_instantiators",
    "_set_seed",
    "_dump_config",
    "_prepare_subcommand_parser",
    "_run_subcommand",
    "_parser",
}
QUIET: dict[str, Any] = {**small_models.QUIET, "num_sanity_val_steps": 0}

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice on such small fits


def require(owner: Any, name: str) -> None:
    where = getattr(owner, "__name__", type(owner).__name__)
    assert hasattr(owner, name), f"Lightning's {where} has no {name} any more: mend experiment/mends"


def needed(still: bool, mend: str) -> None:
    assert still, f"Lightning mends this itself now: remove {mend} from experiment/mends"


class Line(LightningModule):
    """Logs the number of each batch as `loss`."""

    def __init__(self, width: int = 2) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(width, 1)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        for name, how in (("loss", "mean"), ("low", "min"), ("high", "max"), ("total", "sum")):
            self.log(name, torch.tensor(batch_idx + 1.0), on_step=False, on_epoch=True, reduce_fx=how, batch_size=2)
        return self.layer(batch).sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("score", 1.0)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", patience=0)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "monitor": "score"}}


class Rows(LightningDataModule):
    def __init__(self, width: int = 2) -> None:
        super().__init__()
        self.width = width

    def train_dataloader(self) -> DataLoader[Tensor]:
        return DataLoader(RandomDataset(self.width, 4))

    val_dataloader = train_dataloader


class Mended(Callback):
    """What `ExactResume` does, by the functions of mends/loops.py alone."""

    def __init__(self, sums: dict[str, dict[str, Tensor]]) -> None:
        self.sums = sums

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if self.sums or not trainer.callback_metrics:
            loops.count_steps_rightly(trainer)
        loops.add_epoch_sums(trainer, self.sums)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loops.add_epoch_sums(trainer, self.sums)


class Stop(Callback):
    """Writes a checkpoint when the third of the four steps of an epoch begins."""

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == 2:
            self.sums = loops.epoch_sums(trainer)
            trainer.save_checkpoint("middle.ckpt")


def whole_and_resumed(mended: bool) -> tuple[Trainer, Trainer]:
    """A fit of an epoch, and one that goes on in its middle."""
    stop, trainers = Stop(), []
    for path in (None, "middle.ckpt"):
        callbacks = [] if path is None else [Mended(copy.deepcopy(stop.sums))] if mended else []
        trainers.append(Trainer(max_epochs=1, callbacks=[stop, *callbacks] if path is None else callbacks, **QUIET))
        loader = DataLoader(RandomDataset(2, 4))
        trainers[-1].fit(Line(), loader, loader, ckpt_path=path, weights_only=True)
    return trainers[0], trainers[1]


def test_built_from_config() -> None:
    require(hparams_mixin, "_given_hyperparameters")
    built = []

    class Told(Line):
        def __init__(self, width: int = 2) -> None:
            built.append(command_line.built_from_config())
            super().__init__(width)

    class Holding(LightningModule):
        def __init__(self, loss: torch.nn.Module) -> None:
            super().__init__()
            self.save_hyperparameters()

    Told()
    LightningCLI(Told, Rows, trainer_defaults=QUIET, args=[], run=False, save_config_callback=None)
    assert built == [False, True]
    kept = Holding(torch.nn.MSELoss()).hparams["loss"]  # so that its checkpoint is no data
    needed(isinstance(kept, torch.nn.Module), "built_from_config")


def test_instantiate() -> None:
    require(lightning_cli, "_InstantiatorFn")
    arguments = ["--model.width=3"]
    cli = LightningCLI(Line, Rows, trainer_defaults=QUIET, args=arguments, run=False, save_config_callback=None)
    links = {"model.absent": 1}
    assert command_line.instantiate(cli, Line, {}, width=3).hparams == {"width": 3, "_instantiator": LIGHTNINGS}
    stock = lightning_cli._InstantiatorFn(cli, "model")(Line, width=3, applied_instantiation_links=links)
    needed("absent" in stock.hparams, "instantiate")


def test_quick_hooks() -> None:
    require(LightningModule(), "_current_fx_name")

    class Quick(steps.QuickHooks):
        pass

    class Slow(LightningModule):
        pass

    calls = []
    for kind in (Quick, Slow):
        module = kind()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.nn.Module, "__setattr__", lambda self, name, value: calls.append((type(self), name)))
            module._current_fx_name = "training_step"
            module.other = 1
    assert Quick in [kind for kind, _ in calls]
    assert (Quick, "_current_fx_name") not in calls
    needed((Slow, "_current_fx_name") in calls, "QuickHooks")


def test_no_profiler() -> None:
    profiler = steps.NoProfiler()
    with profiler.profile("a"):
        assert profiler.profile("b") is profiler.profile("c")
    stock = PassThroughProfiler()
    needed(stock.profile("b") is not stock.profile("c"), "NoProfiler")
    default = inspect.signature(Trainer).parameters["profiler"].default
    assert default is None
    assert type(Trainer(**QUIET).profiler) is PassThroughProfiler, "Lightning's default profiler is another one now"


def test_count_steps_rightly() -> None:
    loop = Trainer(**QUIET).fit_loop
    require(loop, "_restarting")
    require(loop.epoch_loop, "_batches_that_stepped")
    whole, stock = whole_and_resumed(mended=False)
    _, mended = whole_and_resumed(mended=True)
    steps = [trainer.fit_loop.epoch_loop._batches_that_stepped for trainer in (whole, stock, mended)]
    seen = [trainer.lr_scheduler_configs[0].scheduler.last_epoch for trainer in (whole, stock, mended)]
    assert (steps[0], seen[0]) == (steps[2], seen[2])
    needed(steps[1] != steps[0], "the line of count_steps_rightly on _batches_that_stepped")
    needed(seen[1] != seen[0], "the line of count_steps_rightly on _restarting")


def test_epoch_sums() -> None:
    require(Trainer(**QUIET).fit_loop.epoch_loop, "_results")
    whole, stock = whole_and_resumed(mended=False)
    _, mended = whole_and_resumed(mended=True)
    names = ("loss", "low", "high", "total")
    reached = [[trainer.callback_metrics[name].item() for name in names] for trainer in (whole, stock, mended)]
    assert reached[0] == reached[2] == [2.5, 1, 4, 10]
    needed(reached[1] != reached[0], "epoch_sums and add_epoch_sums")


class OnBar(Line):
    """Shows the number of each batch on the bar, where it may be read."""

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.log("shown", torch.tensor(batch_idx + 1.0), prog_bar=True)
        return self.layer(batch).sum()


def batches_that_read(monkeypatch: pytest.MonkeyPatch, mended: bool) -> list[float]:
    """The batches of two epochs of four after which a number is made of a value for the bar, logging every third."""
    found: list[float] = []
    monkeypatch.setattr(logger_result, "convert_tensors_to_scalars", lambda value: found.append(value.tolist()))
    trainer = Trainer(max_epochs=2, log_every_n_steps=3, **QUIET)
    if mended:
        steps.read_nothing_between_logs(trainer)
    loader = DataLoader(RandomDataset(2, 4))
    trainer.fit(OnBar(), loader, loader)
    return sorted(set(found))


def test_read_nothing_between_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(**QUIET)
    require(trainer, "_logger_connector")
    require(trainer.fit_loop.epoch_loop, "_broadcast_sigterm_tensor")
    assert batches_that_read(monkeypatch, mended=True) == [2, 3, 4]  # steps 3 and 6 log, and the last of an epoch
    needed(1 in batches_that_read(monkeypatch, mended=False), "read_nothing_between_logs")
    step = inspect.getsource(type(trainer.fit_loop.epoch_loop).advance)
    needed("self._broadcast_sigterm_tensor()" in step, "the line of read_nothing_between_logs on SIGTERM")


class Fused(Line):
    """Is trained by a fused optimiser, with great gradients, a step of rate 1."""

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return 1000 * self.layer(batch).float().sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0, fused=True)


def clipped_step(algorithm: str, *callbacks: Callback) -> float:
    """How far one step goes, of gradients clipped to 0.5 under bfloat16."""
    module = Fused()
    before = torch.cat([parameter.detach().flatten() for parameter in module.parameters()])
    clip: dict[str, Any] = {"gradient_clip_val": 0.5, "gradient_clip_algorithm": algorithm}
    trainer = Trainer(max_steps=1, precision="bf16-mixed", callbacks=[*callbacks], **clip, **QUIET)
    trainer.fit(module, DataLoader(RandomDataset(2, 4)))
    step = torch.cat([parameter.detach().flatten() for parameter in module.parameters()]) - before
    return (step.norm() if algorithm == "norm" else step.abs().max()).item()


@pytest.mark.parametrize("algorithm", ["norm", "value"])
def test_clip_fused(algorithm: str) -> None:
    assert clipped_step(algorithm, steps.ClipFused()) == pytest.approx(0.5, abs=1e-5)
    with pytest.raises(RuntimeError, match="does not allow for gradient clipping"):
        needed(clipped_step(algorithm) < 0, "ClipFused")


@pytest.mark.parametrize(("device", "numbers"), [("cpu", [None, 1.0, 2.0, 3.0]), ("meta", [None, None, None, 3.0])])
def test_bar_metrics(device: str, numbers: list[float | None]) -> None:
    trainer = Trainer(max_epochs=1, log_every_n_steps=3, **QUIET)
    steps.read_nothing_between_logs(trainer)
    require(trainer._logger_connector, "_progress_bar_metrics")
    shown: list[float | None] = []

    class Look(Callback):
        def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(type(trainer.strategy), "root_device", torch.device(device))
                shown.append(steps.bar_metrics(trainer).get("shown"))

    trainer.callbacks.append(Look())  # type: ignore[attr-defined]
    loader = DataLoader(RandomDataset(2, 4))
    trainer.fit(OnBar(), loader, loader)
    assert shown == numbers


class Plain(Line):
    """Logs nothing."""

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return self.layer(batch).sum()


@pytest.mark.parametrize("late", [{"update_starting_at_epoch": 9}, {"update_starting_at_step": 99}])
def test_late_averaging(late: dict[str, int]) -> None:
    loader, model = DataLoader(RandomDataset(2, 4)), Plain()
    require(EMAWeightAveraging(), "_average_model")
    weights = []
    for mend, average in (([], []), ([callbacks.LateAveraging()], [late]), ([], [late])):
        trained = copy.deepcopy(model)
        averages = [EMAWeightAveraging(**options) for options in average]
        Trainer(max_epochs=1, callbacks=[*mend, *averages], **QUIET).fit(trained, loader, loader)
        weights.append(trained.layer.weight)
    assert torch.equal(weights[0], weights[1])
    needed(not torch.equal(weights[0], weights[2]), "LateAveraging")


@pytest.mark.parametrize("mended", [True, False])
def test_write_over_its_own_files(mended: bool, tmp_path: Path) -> None:
    kept = ModelCheckpoint(tmp_path, filename="kept")
    require(kept, "_enable_version_counter")
    if mended:
        callbacks.write_over_its_own_files(kept)
    (tmp_path / "kept.ckpt").touch()
    loader = DataLoader(RandomDataset(2, 4))
    options = {**QUIET, "enable_checkpointing": True}
    Trainer(max_epochs=1, callbacks=[kept], **options).fit(Plain(), loader, loader)
    names = sorted(path.name for path in tmp_path.glob("*.ckpt"))
    assert names == ["kept.ckpt"] or not mended
    needed(mended or names == ["kept-v1.ckpt", "kept.ckpt"], "write_over_its_own_files")


HOOKS = {
    "_parse_ckpt_path": "read_ckpt_path",
    "_add_instantiators": "add_instantiators",
    "_set_seed": "set_seed",
    "_dump_config": "plain_config",
    "_prepare_subcommand_parser": "needs_options",
    "_run_subcommand": "run_subcommand",
    "_parser": "leave_out_own_callbacks",
}


@pytest.mark.parametrize("name", HOOKS)
def test_the_command_line_still_takes_each_step_that_is_a_hook(name: str) -> None:
    require(LightningCLI, name)
    assert hasattr(command_line.OpenCLI, HOOKS[name])
    calls = []

    class Noting(command_line.OpenCLI):
        def plain_config(self) -> dict[str, Any]:
            assert super().plain_config() is self.config_dump
            assert super().plain_config()["model"]["width"] == 3
            return self.config_dump

        def read_ckpt_path(self) -> None:
            calls.append("_parse_ckpt_path")
            if self.plain_config():
                calls.append("_dump_config")

        def add_instantiators(self) -> None:
            calls.append("_add_instantiators")

        def set_seed(self) -> None:
            calls.append("_set_seed")
            super().set_seed()

        def instantiate_trainer(self, **kwargs: Any) -> Trainer:
            self.leave_out_own_callbacks()
            calls.append("_parser")
            return super().instantiate_trainer(**kwargs)

        def run_subcommand(self, subcommand: str) -> None:
            calls.append("_run_subcommand")

        def needs_options(self, subcommand: str) -> bool:
            calls.append("_prepare_subcommand_parser")
            return True

    arguments = ["fit", "--model.width=3", "--data.width=3", "--trainer.fast_dev_run=true"]
    Noting(Line, Rows, trainer_defaults=QUIET, args=arguments, save_config_callback=None)
    assert name in calls, f"LightningCLI doesn't call {name} any more: mend OpenCLI of experiment/mends"


def test_stock_still_reads_the_settings_of_a_checkpoint_over_those_that_are_given(tmp_path: Path) -> None:
    trainer = Trainer(fast_dev_run=True, **QUIET)
    trainer.fit(Line(width=2), Rows(width=2))
    trainer.save_checkpoint("two.ckpt")
    arguments = ["validate", "--model.width=3", "--data.width=2", "--ckpt_path=two.ckpt"]
    cli = LightningCLI(Line, Rows, trainer_defaults=QUIET, args=arguments, save_config_callback=None)
    needed(cli.config.validate.model.width == 2, "read_ckpt_path")


def test_stock_still_makes_the_options_of_every_subcommand() -> None:
    made = []

    class Noting(LightningCLI):
        def add_arguments_to_parser(self, parser: Any) -> None:
            made.append(parser)

    arguments = ["fit", "--trainer.fast_dev_run=true"]
    Noting(Line, Rows, trainer_defaults=QUIET, args=arguments, save_config_callback=None)
    needed(len(made) > 1, "needs_options")


def private_names(file: Path) -> set[str]:
    """What a file names of Lightning's that is private: those known, and any `_name` that it imports of Lightning."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute | ast.FunctionDef):
            name = node.attr if isinstance(node, ast.Attribute) else node.name
            found |= {name} & PRIVATE
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} & PRIVATE
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lightning"):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            found |= {name for name in names if name.startswith("_")}
        if isinstance(node, ast.Import):
            names = [
                name for alias in node.names for name in alias.name.split(".") if alias.name.startswith("lightning")
            ]
            found |= {name for name in names if name.startswith("_")}
    return found


def test_no_other_file_uses_private_names_of_lightning() -> None:
    root = Path(classifiers.__file__).parent
    found = {str(path.relative_to(root)): private_names(path) for path in root.rglob("*.py")}
    mends = {path for path in found if path.startswith("experiment/mends/")}
    assert set().union(*map(found.get, mends)) == PRIVATE
    assert {path: names for path, names in found.items() if names and path not in mends} == {}


@pytest.mark.parametrize(
    "line",
    [
        "trainer.fit_loop._restarting = False",
        "from lightning.pytorch.cli import _InstantiatorFn",
        "from lightning.pytorch.utilities._pytree import tree",
        "import lightning.pytorch._graveyard",
        "getattr(loop, '_results')",
        "class A:\n    def _set_seed(self): ...",
    ],
)
def test_a_private_name_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(line)
    assert len(private_names(tmp_path / "a.py")) == 1


def test_batch_size_name() -> None:
    finder = BatchSizeFinder(batch_arg_name="images")
    require(finder, "_batch_arg_name")
    assert callbacks.batch_size_name(finder) == "images"
    needed("images" not in [value for name, value in vars(finder).items() if name[0] != "_"], "batch_size_name")


@pytest.mark.parametrize("mended", [True, False])
def test_pruned_layers_begin_anew_each_time(mended: bool) -> None:
    pruning, firsts = ModelPruning("l1_unstructured", amount=0.1), []

    class Look(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            if trainer.current_epoch:
                firsts.append(pl_module.layer.weight_orig.detach().clone())

    mend = [callbacks.PruningInRows()] if mended else []
    loader = DataLoader(RandomDataset(2, 4))
    Trainer(max_epochs=3, callbacks=[*mend, pruning, Look()], **QUIET).fit(Plain(), loader, loader)
    assert torch.equal(*firsts) or not mended
    needed(mended or not torch.equal(*firsts), "the line of PruningInRows on _copy_param")


@pytest.mark.parametrize("mended", [True, False])
def test_pruning_in_rows(mended: bool) -> None:
    class Convolution(Line):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
            self.image = torch.nn.Linear(2, 2 * 25)

        def forward(self, batch: Tensor) -> Tensor:
            return self.layer(self.image(batch).view(-1, 2, 5, 5)).sum()

        def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
            return self(batch)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    pruning = ModelPruning("l1_unstructured", amount=0.5)
    trainer = Trainer(max_epochs=1, callbacks=[callbacks.PruningInRows(), pruning] if mended else [pruning], **QUIET)
    fit = functools.partial(trainer.fit, Convolution(), DataLoader(RandomDataset(2, 4)))
    require(pruning, "_copy_param")
    if mended:
        fit()
    else:  # or remove PruningInRows from experiment/mends
        with pytest.raises(RuntimeError, match="view size is not compatible"):
            fit()
