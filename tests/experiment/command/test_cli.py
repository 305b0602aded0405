import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from lightning.pytorch import Trainer

from classifiers import MLP, ImageClassifier, SyntheticDataModule
from classifiers.cli import main
from tests.conftest import SMALL, Cli, Fails
from tests.small_models import saved


def config_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text())
    return content


def metrics_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return content


def test_overrides_reach_what_they_name(fit: Cli) -> None:
    folder = fit(
        "--trainer.max_epochs=1", "--model.optimizer=SGD", "--model.optimizer.lr=0.01", "--model.net=ResNet",
        "--model.net.blocks=1", "--data.batch_size=32", "--seed_everything=7",
    )  # fmt: skip
    config = config_of(folder)
    assert config["seed_everything"] == 7
    assert config["trainer"]["max_epochs"] == 1
    assert config["model"]["optimizer"]["class_path"] == "torch.optim.SGD"
    assert config["model"]["optimizer"]["init_args"]["lr"] == 0.01
    assert config["model"]["net"]["class_path"] == "classifiers.ResNet"
    assert config["data"]["init_args"]["batch_size"] == 32
    assert (metrics_of(folder)["seed"], metrics_of(folder)["epochs"]) == (7, 1)


def test_a_class_that_replaces_another_takes_none_of_its_defaults(fit: Cli) -> None:
    folder = fit("--model.optimizer=SGD", "--model.optimizer.lr=0.1", "--model.net=ResNet", "--trainer.max_epochs=1")
    model = config_of(folder)["model"]
    assert model["optimizer"]["init_args"]["weight_decay"] == 0.0  # AdamW's is 0.01
    assert model["net"]["init_args"]["widths"] == [16, 32, 64]  # ConvNet's are [32, 64, 128]
    assert config_of(folder)["data"]["init_args"]["num_classes"] == 4


def test_later_configs_win_and_the_first_names_the_experiment(fit: Cli, tmp_path: Path) -> None:
    (tmp_path / "shirts.yaml").write_text("trainer: {max_epochs: 1}\nseed_everything: 3\n")
    (tmp_path / "overlay.yaml").write_text("seed_everything: 4\n")
    configs = [f"--config={tmp_path / name}" for name in ("shirts.yaml", "overlay.yaml")]
    folder = fit(*configs, "--trainer.max_epochs=1")
    assert folder.parent.name == "shirts"
    assert config_of(folder)["seed_everything"] == 4
    assert fit(f"--config={folder / 'config.yaml'}").parent.name == "shirts"


def test_one_seed_gives_one_result_and_leaves_the_split_alone(fit: Cli) -> None:
    first, again, other = (metrics_of(fit(f"--seed_everything={seed}")) for seed in (1, 1, 2))
    del first["seconds"], again["seconds"]
    assert first == again
    assert first["train/epoch_loss"] != other["train/epoch_loss"]


def test_the_test_command_repeats_the_figures_of_the_fit(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fit()
    printed = capsys.readouterr().out
    metrics = metrics_of(folder)
    assert f"loss {metrics['test/loss']:.4f}   accuracy {metrics['test/acc']:.2%}" in printed
    before = sorted(path.name for path in folder.rglob("*"))
    main(["test", f"--config={folder / 'config.yaml'}", f"--ckpt_path={folder / 'checkpoints/best.ckpt'}"])
    table = capsys.readouterr().out
    found = {name: float(value) for name, value in re.findall(r"(test/\w+) +│ +([\d.e-]+)", table)}
    assert found == {name: value for name, value in metrics.items() if name.startswith("test/")}
    assert len(found) == 4
    assert sorted(path.name for path in folder.rglob("*")) == before


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_evaluation_takes_the_net_from_the_checkpoint(command: str, fit: Cli, tmp_path: Path) -> None:
    checkpoint = fit("--model.net=LeNet", "--model.net.hidden=[9]") / "checkpoints/best.ckpt"
    data = [argument for argument in SMALL if argument.startswith(("--data", "--trainer.accel"))]
    before = sorted(tmp_path.rglob("*"))
    main([command, *data, f"--ckpt_path={checkpoint}", "--trainer.enable_progress_bar=false"])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_checkpoint_rebuilds_the_model_without_its_config(fit: Cli) -> None:
    folder = fit("--model.net=ConvNet", "--model.net.widths=[4,4]", "--model.loss.weight=[1,2,3,4]")
    path = folder / "checkpoints/best.ckpt"
    content = torch.load(path, weights_only=True)
    model = ImageClassifier.load_from_checkpoint(path, weights_only=True).eval()
    assert model.class_names == ("pattern 0", "pattern 1", "pattern 2", "pattern 3")
    assert model.image_shape == (1, 16, 16)
    assert model.loss.weight.tolist() == [1, 2, 3, 4]  # type: ignore[union-attr, operator]
    assert {name: value.shape for name, value in model.state_dict().items()} == {
        name: value.shape for name, value in content["state_dict"].items()
    }
    assert content["run"] == str(folder)
    images = torch.randint(256, (3, 1, 16, 16), dtype=torch.uint8)
    again = ImageClassifier.load_from_checkpoint(path, weights_only=True).eval()
    assert torch.equal(model(images), again(images))


def test_predictions_are_written_where_they_are_told(
    fit: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = fit("--trainer.max_epochs=1") / "checkpoints/best.ckpt"
    data = [argument for argument in SMALL if argument.startswith(("--data", "--trainer.accel"))]
    main(["predict", *data, f"--ckpt_path={checkpoint}", f"--predictions={tmp_path / 'new/x.csv'}"])
    assert capsys.readouterr().out.splitlines()[-1] == f"130 predictions are in {tmp_path / 'new/x.csv'}"
    with (tmp_path / "new/x.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["index", "true", "class", "pattern 0", "pattern 1", "pattern 2", "pattern 3"]
    model = ImageClassifier.load_from_checkpoint(checkpoint, weights_only=True).eval()
    images, labels = SyntheticDataModule(4, image_size=16, test_size=130).load(train=False)
    with torch.inference_mode():
        expected = model(images).softmax(1)
    assert [row[0] for row in rows] == [str(index) for index in range(130)]
    assert [row[1] for row in rows] == [model.class_names[label] for label in labels]
    assert [row[2] for row in rows] == [model.class_names[label] for label in expected.argmax(1)]
    found = torch.tensor([[float(share) for share in row[3:]] for row in rows])
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--predictions=x.ckpt/x.csv"], "can't write x.ckpt/x.csv (File exists): give another --predictions"),
        (
            ["--predictions=x.csv", "--trainer.limit_predict_batches=0"],
            "--predictions: --return_predictions or --trainer.limit_predict_batches leaves none to write",
        ),
    ],
)
def test_predictions_that_cannot_be_written(options: list[str], line: str, fails: Fails) -> None:
    data = [argument for argument in SMALL if argument.startswith(("--data", "--trainer.accel"))]
    assert fails("predict", *data, f"--ckpt_path={saved(Path('x.ckpt'))}", *options) == f"error: {line}"
    assert [path.name for path in Path.cwd().iterdir()] == ["x.ckpt"]


def test_only_predict_writes_predictions(fails: Fails) -> None:
    assert fails("test", "--predictions=x.csv").startswith("error: unknown option --predictions")


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_a_checkpoint_without_image_shape_is_evaluated(command: str, tmp_path: Path) -> None:
    data = [argument for argument in SMALL if argument.startswith(("--data", "--trainer.acc", "--trainer.enable"))]
    main([command, *data, f"--ckpt_path={saved(tmp_path / 'x.ckpt', image_shape=None)}"])


def test_a_checkpoint_of_plain_python_is_tested_with_the_net_of_the_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = SyntheticDataModule(4, image_size=16, train_size=400, test_size=130, batch_size=64)
    by_hand: Any = torch.tensor(8)  # which no plain value describes
    model = ImageClassifier.for_data(MLP(1, 16, 4, hidden=[by_hand]), data)
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "x.ckpt")
    (expected,) = trainer.test(model, data, verbose=False)
    options = [option for option in SMALL if option.startswith(("--data", "--model", "--trainer.acc"))]
    main(["test", *options, f"--ckpt_path={tmp_path / 'x.ckpt'}"])
    found = re.findall(r"(test/\w+) +│ +([\d.e-]+)", capsys.readouterr().out)
    assert {name: float(value) for name, value in found}.items() >= expected.items()


def test_resuming_goes_on_where_the_checkpoint_stands(fit: Cli) -> None:
    folder = fit("--trainer.max_epochs=1")
    config = f"--config={folder / 'config.yaml'}"
    on = fit(config, "--trainer.max_epochs=2", f"--ckpt_path={folder / 'checkpoints/last.ckpt'}")
    assert torch.load(on / "checkpoints/last.ckpt", weights_only=True)["global_step"] == 12
    assert metrics_of(on)["epochs"] == 2


def test_init_weights_starts_from_another_run(fit: Cli) -> None:
    first = fit() / "checkpoints/best.ckpt"
    sgd = ["--model.optimizer=SGD", "--model.optimizer.lr=0"]
    second = fit("--data.num_classes=3", *sgd, f"--init_weights={first}") / "checkpoints/last.ckpt"
    weights = [torch.load(path, weights_only=True)["state_dict"] for path in (first, second)]
    assert torch.equal(*(state["net.backbone.1.weight"] for state in weights))
    assert [len(state["net.head.bias"]) for state in weights] == [4, 3]


def test_a_writer_of_predictions_is_not_told_that_nothing_is_written(
    fitted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [option for option in SMALL if option.startswith("--data")]
    predict = ["predict", *data, f"--ckpt_path={fitted / 'checkpoints/best.ckpt'}"]
    main([*predict, "--trainer.callbacks+=tests.instruments.Writer"])
    assert Path("count").read_text() == "130"
    assert "nothing is written" not in capsys.readouterr().out
    main(predict)
    assert "nothing is written without --predictions FILE.csv" in capsys.readouterr().out


def test_a_checkpoint_of_an_exception_is_gone_on_from_in_one_line(
    fit: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = ["--trainer.callbacks+=OnExceptionCheckpoint", f"--trainer.callbacks.dirpath={tmp_path}"]
    with pytest.raises(RuntimeError, match="broken"):
        fit(*kept, "--trainer.callbacks+=tests.instruments.Broken", "--trainer.callbacks.step=7")
    capsys.readouterr()
    run = fit(*kept)
    assert f"it goes on from {tmp_path / 'on_exception.ckpt'}" in capsys.readouterr().out
    assert metrics_of(run)["epochs"] == 2
    assert not (tmp_path / "on_exception.ckpt").exists()


def test_a_fit_without_test_images_ends_well(fit: Cli) -> None:
    assert "test/acc" not in metrics_of(fit("--trainer.limit_test_batches=0"))


def test_a_wrong_monitor_of_early_stopping(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        fit("--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=val_loss")
    assert exit_info.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: Early stopping conditioned on metric `val_loss` which is not available")


def test_a_config_before_the_subcommand_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "fit: {data: CIFAR10DataModule, model: {net: LeNet, loss: torch.nn.CrossEntropyLoss}}\n"
    (tmp_path / "all.yaml").write_text(text)
    with pytest.raises(SystemExit):
        main(["--config", str(tmp_path / "all.yaml"), "fit", "--print_config"])
    printed = yaml.safe_load(capsys.readouterr().out)
    assert (printed["data"]["class_path"], printed["model"]["net"]["class_path"]) == (
        "classifiers.CIFAR10DataModule",
        "classifiers.LeNet",
    )


def test_a_fast_dev_run_leaves_nothing(tmp_path: Path) -> None:
    main(["fit", *SMALL, f"--trainer.default_root_dir={tmp_path}", "--trainer.fast_dev_run=true"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["SGD", "ASGD", "Adagrad", "Adam", "AdamW", "RMSprop"])
def test_every_optimizer_trains(name: str, fit: Cli) -> None:
    folder = fit(f"--model.optimizer={name}", "--model.optimizer.lr=0.02", "--trainer.max_epochs=4")
    with (folder / "metrics.csv").open(newline="") as file:
        losses = [float(row["val/loss"]) for row in csv.DictReader(file) if row["val/loss"]]
    assert len(losses) == 4
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("scheduler", "steps"),
    [
        (["StepLR", "--model.lr_scheduler.step_size=1"], 2),
        (["OneCycle", "--model.lr_scheduler.pct_start=0.4", "--model.lr_scheduler_interval=step"], 12),
        (["OneCycleLR", "--model.lr_scheduler.max_lr=0.1", "--model.lr_scheduler_interval=step"], 12),
        (["CosineAnnealingLR", "--model.lr_scheduler.T_max=2"], 2),
        (
            [
                "torch.optim.lr_scheduler.ReduceLROnPlateau",
                "--model.lr_scheduler_monitor=val/acc",
                "--model.lr_scheduler.mode=max",
            ],
            2,
        ),
    ],
)
def test_every_scheduler_trains(scheduler: list[str], steps: int, fit: Cli) -> None:
    sgd = ["--model.optimizer=SGD", "--model.optimizer.lr=0.1"]
    folder = fit(*sgd, f"--model.lr_scheduler={scheduler[0]}", *scheduler[1:])
    (state,) = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["lr_schedulers"]
    assert state["last_epoch"] == steps


def test_a_monitor_that_nobody_logs(fit: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        fit("--best_checkpoint.monitor=val/accuracy")
    assert exit_info.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    known = "these are val/acc and val/loss"
    assert line == f"error: --best_checkpoint.monitor val/accuracy is no metric of a validation: {known}"
    assert list(tmp_path.glob("runs/*/*")) == []


def test_early_stopping_is_one_line(fit: Cli, tmp_path: Path) -> None:
    line = "trainer: {callbacks: [{class_path: EarlyStopping, init_args: {monitor: val/loss, patience: 1}}]}\n"
    (tmp_path / "stop.yaml").write_text(line)
    frozen = ["--model.optimizer=SGD", "--model.optimizer.lr=0"]
    folder = fit(f"--config={tmp_path / 'stop.yaml'}", *frozen, "--trainer.max_epochs=9")
    assert metrics_of(folder)["epochs"] == 2


def test_averaged_weights_are_what_is_validated_saved_and_tested(fit: Cli) -> None:
    averaging = ["--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.5"]
    folder = fit(*averaging, "--trainer.max_epochs=1")
    checkpoint = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)
    averaged, current = checkpoint["state_dict"], checkpoint["current_model_state"]
    assert averaged.keys() == current.keys()
    assert any(not torch.equal(averaged[name], current[name]) for name in averaged)
    model = ImageClassifier.load_from_checkpoint(folder / "checkpoints/best.ckpt", weights_only=True).eval()
    data = SyntheticDataModule(4, image_size=16, train_size=400, test_size=130)
    images, labels = data.load(train=False)
    accuracy = (model(images).argmax(1) == labels).float().mean().item()
    assert json.loads((folder / "metrics.json").read_text())["test/acc"] == pytest.approx(accuracy)


def test_a_relative_root_is_found_from_any_folder(fit: Cli) -> None:
    folder = fit("--data.root=photos", "--trainer.max_epochs=1")
    assert config_of(folder)["data"]["init_args"]["root"] == str(Path("photos").absolute())


def test_the_logged_rate_is_that_of_its_step(fit: Cli) -> None:
    sgd = ["--model.optimizer=SGD", "--model.optimizer.lr=0.1", "--trainer.log_every_n_steps=1"]
    folder = fit(*sgd, "--model.lr_scheduler=OneCycle", "--model.lr_scheduler_interval=step", "--trainer.max_epochs=1")
    with (folder / "metrics.csv").open(newline="") as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file) if row["lr"]]
    assert rates == pytest.approx([0.004, 0.08333, 0.0625, 0.04167, 0.02083, 0.0], abs=1e-5)
