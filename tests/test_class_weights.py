"""A loss that counts the images of rare classes more: by the numbers of the data, wherever it goes on."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from classifiers import ArrayDataModule, ImageClassifier, fit, open_run
from classifiers.class_weights import weights_of
from classifiers.cli import main
from classifiers.experiment.errors import UserError
from classifiers.models import MLP
from tests.conftest import Cli, Fails
from tests.small_models import synthetic, trained

NAMES = ["cat", "dog", "hen"]


def uneven(**given: object) -> ArrayDataModule:
    labels = torch.arange(3).repeat_interleave(torch.tensor([300, 60, 40]))
    images = torch.randint(256, (400, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    data = ArrayDataModule(images, labels, test=(images, labels), class_names=NAMES, **given)
    data.setup("fit")
    return data


def counted(data: ArrayDataModule) -> Tensor:
    return data.train_set.labels[data.train_set.indices].bincount(minlength=3)


def test_balanced_weights_make_classes_count_alike_and_effective_ones_less_so() -> None:
    counts = torch.tensor([5000, 500, 50])
    balanced = weights_of(counts, "balanced", NAMES)
    assert (balanced * counts).tolist() == pytest.approx([1850] * 3)
    effective = weights_of(counts, "effective", NAMES)
    numbers = [(1 - 0.999**count) / (1 - 0.999) for count in counts.tolist()]
    assert (effective / effective[0]).tolist() == pytest.approx([numbers[0] / number for number in numbers])
    assert (effective * counts).sum().item() == pytest.approx(5550)


def test_the_weights_are_those_of_the_training_images_and_in_the_checkpoint(tmp_path: Path) -> None:
    data = uneven()
    model = ImageClassifier.for_data(MLP, data, class_weights="balanced", loss=nn.CrossEntropyLoss())
    run = fit(model, data, max_epochs=1, accelerator="cpu", default_root_dir="runs")
    counts = counted(data)
    saved = torch.load(run.folder / "checkpoints/best.ckpt", weights_only=True)
    assert saved["state_dict"]["loss.weight"].tolist() == pytest.approx((len(data.train_set) / 3 / counts).tolist())
    assert saved["hyper_parameters"]["class_weights"] == "balanced"
    assert torch.equal(open_run(run.folder).model.loss.weight, saved["state_dict"]["loss.weight"])


def test_validation_by_a_checkpoint_is_that_of_the_fit(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    run = fit("--model.class_weights=effective", "--trainer.max_epochs=1", "--trainer.num_sanity_val_steps=0")
    value = (run / "metrics.csv").read_text()
    capsys.readouterr()
    options = ["--data=SyntheticDataModule", "--data.train_size=400", "--data.test_size=130", "--data.image_size=16"]
    path = f"--ckpt_path={run / 'checkpoints/best.ckpt'}"
    main(["validate", path, *options, "--data.num_classes=4", "--trainer.accelerator=cpu"])
    (found,) = re.findall(r"val/loss +│ +([\d.]+)", capsys.readouterr().out)
    assert found[:6] in value


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--model.loss=torch.nn.BCEWithLogitsLoss", "BCEWithLogitsLoss has no weight for each class, take torch.nn.Cr"),
        ("--model.loss.weight=[1,2,3,4]", "CrossEntropyLoss is given its weight already, leave one of them out"),
    ],
)
def test_what_takes_no_weights_is_one_line(options: str, line: str, fails: Fails) -> None:
    small = ["--data=SyntheticDataModule", "--data.num_classes=4", "--model.net=MLP", "--model.class_weights=balanced"]
    assert fails("fit", *small, *options.split()).startswith(f"error: --model.class_weights balanced: {line}")


def test_a_class_without_images_and_a_model_without_names_are_one_line() -> None:
    with pytest.raises(UserError, match="effective: no image to train on shows dog: leave the option out"):
        weights_of(torch.tensor([4, 0, 2]), "effective", NAMES)
    with pytest.raises(UserError, match="class_weights balanced needs the model's class_names"):
        ImageClassifier(MLP(1, 8, 3), class_weights="balanced")


def test_without_them_the_loss_is_left_as_it_is() -> None:
    data = synthetic()
    model = ImageClassifier.for_data(MLP, data)
    trained(model, data, max_epochs=1)
    assert model.loss.weight is None
    assert "loss.weight" not in model.state_dict()
