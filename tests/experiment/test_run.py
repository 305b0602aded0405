import gc
import logging
import signal
import threading
import warnings
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from classifiers import ArrayDataModule, ImageClassifier, UserError, classify, fit, interpret, open_run
from classifiers.callbacks import Figures
from classifiers.experiment import ExperimentCLI
from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from tests.experiment.checkpoints.test_resume import differences
from tests.small_models import small, synthetic

QUIET: dict[str, Any] = {"accelerator": "cpu", "log_every_n_steps": 2, "figures": False, "seed": 1}
CONFIG = """
data: {class_path: SyntheticDataModule, init_args: {num_classes: 4, image_size: 16, train_size: 400, test_size: 130}}
model: {net: {class_path: MLP, init_args: {hidden: [8]}}}
"""


class Regression(LightningModule):
    """No classifier, and without settings."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        return self._loss(batch, "train_loss")

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        self._loss(batch, "val_loss")

    def test_step(self, batch: tuple[Tensor, Tensor]) -> None:
        self._loss(batch, "test_loss")

    def _loss(self, batch: tuple[Tensor, Tensor], name: str) -> Tensor:
        loss = nn.functional.mse_loss(self.layer(batch[0]), batch[1])
        self.log(name, loss, on_epoch=True, on_step=False, batch_size=len(batch[0]))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Lines(LightningDataModule):
    def __init__(self) -> None:
        super().__init__()
        inputs = torch.linspace(-1, 1, 60).view(20, 3)
        self.rows = TensorDataset(inputs, inputs.sum(1, keepdim=True))

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.rows, batch_size=4)

    val_dataloader = test_dataloader = train_dataloader


class StopAt(Callback):
    """Sends this process what Ctrl-C does, once."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        if trainer.global_step == self.step:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "shirts.yaml").write_text(CONFIG)
    return tmp_path / "shirts.yaml"


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, Any]:
    return {**QUIET, "default_root_dir": tmp_path / "runs"}


def weights(folder: Path) -> Any:
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def test_a_config_is_fitted_with_overrides(config: Path, runs: dict[str, Any]) -> None:
    run = fit(config, {"trainer.max_epochs": 1, "model.optimizer.lr": 0.25}, **runs)
    assert run.folder.parent.name == "shirts"
    assert run.config["model"]["optimizer"]["init_args"]["lr"] == 0.25
    assert (run.metrics["epochs"], run.metrics["seed"]) == (1, 1)
    assert run.history[-1]["test/acc"] == pytest.approx(run.metrics["test/acc"])
    assert open_run(run.folder).resume(max_epochs=2).metrics["epochs"] == 2
    with pytest.raises(UserError, match="was made of a config, which describes its model and data: give none"):
        open_run(run.folder).resume(data=synthetic())


def test_objects_are_fitted_and_go_on(runs: dict[str, Any]) -> None:
    torch.manual_seed(0)
    run = fit(small(synthetic()), synthetic(), max_epochs=1, experiment="mine", **{**runs, "figures": True})
    assert run.folder.parent.name == "mine"
    assert [*run.figures] == ["confusion", "curves", "mistakes"]
    assert run._repr_html_().count("<img ") == 3
    again = open_run(run.folder)
    images, _ = synthetic().load(train=False)
    ((_, expected),) = classify(run.model, images[0])  # type: ignore[arg-type]
    ((_, found),) = classify(again.model, [images[0]])  # type: ignore[arg-type]
    assert torch.equal(expected, found)
    interpretation = interpret(again)
    assert interpretation.confusion.trace() / 130 == pytest.approx(run.metrics["test/acc"])
    assert again.resume(max_epochs=2).metrics["epochs"] == 2


def test_an_interrupt_stops_in_order_and_the_run_goes_on_bit_by_bit(
    runs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    for name in ("whole", "stopped"):
        torch.manual_seed(0)
        model, callbacks = small(synthetic()), [StopAt(4)] if name == "stopped" else []
        if callbacks:
            with pytest.raises(KeyboardInterrupt, match="^stopped: "):
                fit(model, synthetic(), max_epochs=3, experiment=name, callbacks=callbacks, **runs)
        else:
            whole = fit(model, synthetic(), max_epochs=3, experiment=name, **runs).folder
    assert signal.getsignal(signal.SIGINT) is handler
    (stopped,) = (runs["default_root_dir"] / "stopped").iterdir()
    assert f"Stopped before step 4: saved {stopped}/checkpoints/last.ckpt" in capsys.readouterr().out
    with pytest.raises(UserError, match="was made of objects: give resume its callbacks again$"):
        open_run(stopped).resume()
    open_run(stopped).resume(callbacks=[StopAt(-1)])
    assert differences(weights(whole), weights(stopped)) == []
    assert (whole / "metrics.csv").read_text() == (stopped / "metrics.csv").read_text()


def test_data_that_no_plain_values_describe_are_given_again(runs: dict[str, Any]) -> None:
    images, labels = synthetic().load(train=True)
    data = ArrayDataModule(images, labels)
    run = fit(small(data), data, max_epochs=1, **runs)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="give resume its data again"):
        open_run(run.folder).resume(max_epochs=2)
    with pytest.raises(UserError, match="data that its config can't describe: give it again"):
        interpret(open_run(run.folder))
    assert open_run(run.folder).resume(data=data, max_epochs=2).metrics["epochs"] == 2


class Mode(Callback):
    """Notes whether the model is in training mode when a fit begins to train."""

    def __init__(self) -> None:
        self.training: list[bool] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *batch: Any) -> None:
        self.training.append(all(module.training for module in pl_module.modules()))


def test_a_fitted_model_that_is_fitted_again_trains(runs: dict[str, Any]) -> None:
    model, mode = small(synthetic()), Mode()
    for _ in range(2):
        run = fit(model, synthetic(), max_epochs=1, callbacks=mode, **runs)
        assert not run.model.training
    assert set(mode.training) == {True}


def test_a_run_goes_on_again_and_again_with_all_that_it_was_made_of(runs: dict[str, Any]) -> None:
    model = small(synthetic(), optimizer=partial(torch.optim.SGD, lr=0.05))
    run = fit(model, synthetic(), max_epochs=1, **runs)
    settings = [torch.load(run.folder / "checkpoints/last.ckpt", weights_only=True)["hyper_parameters"]]
    for epochs in (2, 3):
        assert open_run(run.folder).resume(max_epochs=epochs).metrics["epochs"] == epochs
        settings.append(torch.load(run.folder / "checkpoints/last.ckpt", weights_only=True)["hyper_parameters"])
    assert settings[0]["optimizer"] == {"class_path": "torch.optim.sgd.SGD", "init_args": {"lr": 0.05}}
    assert {name: settings[1][name] for name in settings[0]} == settings[0]  # the others are the class's defaults
    assert settings[2] == settings[1]
    assert open_run(run.folder).made_by_hand == []


def test_any_module_and_data_are_fitted(runs: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    del runs["figures"]
    run = fit(Regression(), Lines(), max_epochs=3, monitor="val_loss", experiment="lines", **runs)
    printed = capsys.readouterr().out
    assert "model        Regression, 4 parameters" in printed
    assert "resume       not exact: Lines is no RepeatableDataModule" in printed
    assert printed.count("train loss ") == printed.count("val loss ") == 3
    assert {"train_loss", "val_loss", "test_loss"} <= run.metrics.keys()
    assert sorted(path.name for path in (run.folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    again = open_run(run.folder).resume(Regression(), Lines(), max_epochs=4, monitor="val_loss")
    assert again.metrics["epochs"] == 4


def test_several_fits_leave_nothing_behind(runs: dict[str, Any]) -> None:
    def one() -> Any:
        kept: list[Any] = []

        class Keep(Callback):
            def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
                kept.append(weakref.ref(trainer))

        run = fit(small(synthetic()), synthetic(), max_epochs=1, callbacks=[Keep()], **runs)
        assert run.model._trainer is None
        return kept[0]

    one()
    before = (len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), [*warnings.filters])
    level = logging.getLogger("lightning.pytorch").level
    trainers = [one() for _ in range(2)]
    gc.collect()
    assert (len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), [*warnings.filters]) == before
    assert logging.getLogger("lightning.pytorch").level == level
    assert [trainer() for trainer in trainers] == [None, None]


class FitAgain(Callback):
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        fit(small(synthetic()), synthetic())


@pytest.mark.parametrize(
    ("arguments", "options", "line"),
    [
        (("no.yaml",), {}, "there is no file "),
        ((nn.Linear(1, 1), Lines()), {}, "fit takes a config or a LightningModule, not Linear: wrap it in one"),
        ((small(synthetic()), synthetic()), {"model.lr": 3}, "model.lr is no option of a fit of objects: give it to"),
        ((Regression(), [1]), {}, "fit(model, data) needs a LightningDataModule, not list"),
        ((small(synthetic()), Lines()), {"max_epoch": 3}, "unknown option --trainer.max_epoch: did you mean --tr"),
        (("shirts.yaml", {"model.optimiser": "SGD"}), {}, "unknown option --model.optimiser: did you mean --mo"),
        ((small(synthetic()), synthetic()), {"callbacks": [FitAgain()]}, "a fit is running in this process: wait"),
        ((small(synthetic()), LightningDataModule()), {}, "LightningDataModule has no train_dataloader, which fit"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("config")
def test_a_mistake_is_one_line(arguments: Any, options: Any, line: str, runs: dict[str, Any]) -> None:
    with pytest.raises(UserError) as error:
        fit(*arguments, **{**runs, **options})
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)
    assert error.value._render_traceback_() == [f"error: {error.value}"]


def test_an_optimizer_that_is_made_already() -> None:
    with pytest.raises(UserError, match=r"^optimizer is an SGD made already: give the class, or partial\(SGD, lr=…\)$"):
        ImageClassifier(nn.Linear(1, 1), torch.optim.SGD(nn.Linear(1, 1).parameters()))  # type: ignore[arg-type]


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run folder, or its config.yaml is damaged"):
        open_run(tmp_path)


def test_a_task_that_names_no_module() -> None:
    class Wrong(ExperimentCLI):
        model_class = nn.Linear  # type: ignore[assignment]

    with pytest.raises(UserError, match="^Wrong names .*Linear'>, which is no LightningModule$"):
        Wrong(["fit"])


def test_without_a_run_folder_callbacks_say_that_they_write_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    quiet: Any = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(callbacks=[BestCheckpoint(), Figures("mine")], max_epochs=2, **quiet)
    trainer.fit(small(synthetic()), synthetic())
    trainer.test(trainer.lightning_module, synthetic(), verbose=False)
    printed = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert printed == [f"no {name} is written" for name in ("best.ckpt", "confusion.png", "mistakes.png")]
