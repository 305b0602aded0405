from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from classifiers import SyntheticDataModule
from classifiers.experiment.errors import UserError
from classifiers.inference.loading import load_classifier
from classifiers.inference.prediction import classify
from tests.small_models import saved, small, synthetic


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Five of the synthetic test images as files."""
    images, _ = synthetic().load(train=False)
    names = [tmp_path / f"{index}.png" for index in range(5)]
    for name, image in zip(names, images, strict=False):
        Image.fromarray(image[0].numpy()).save(name)
    return names


def probabilities_of(path: Path, count: int) -> Tensor:
    images, _ = synthetic().load(train=False)
    with torch.inference_mode():
        return load_classifier(path, "cpu")(images[:count]).softmax(1)


@pytest.mark.parametrize("batch_size", [1, 2, 128])
def test_image_files_are_classified_as_the_images_in_them(batch_size: int, paths: list[Path], tmp_path: Path) -> None:
    model = load_classifier(saved(tmp_path / "x.ckpt"), "cpu")
    found = list(classify(model, paths, batch_size))
    assert [path for path, _ in found] == paths
    expected = probabilities_of(tmp_path / "x.ckpt", 5)
    assert torch.allclose(torch.stack([row for _, row in found]), expected, atol=1e-6)


def test_a_bad_image_is_left_out_or_raised(paths: list[Path], tmp_path: Path) -> None:
    model = load_classifier(saved(tmp_path / "x.ckpt"))
    given = [tmp_path / "no.png", *paths[:3], tmp_path / "x.ckpt", *paths[3:], tmp_path]
    errors: list[UserError] = []
    assert [path for path, _ in classify(model, given, 2, errors.append)] == paths
    assert [str(error).split("/")[0] for error in errors] == ["there is no file ", "", "there is no file "]
    with pytest.raises(UserError, match=r"no\.png"):
        list(classify(model, given))


@pytest.mark.parametrize("data", [synthetic(in_channels=2), None])
def test_a_model_that_no_image_file_suits(data: SyntheticDataModule | None, paths: list[Path]) -> None:
    model = small(data or synthetic())
    model.image_shape = data and data.image_shape
    line = f"^image files are of 1 or 3 channels, and the model takes images of shape {data and r'.2, 16, 16.'}$"
    with pytest.raises(UserError, match=line):
        list(classify(model, paths))


def test_several_models_say_the_mean(paths: list[Path], tmp_path: Path) -> None:
    models = [load_classifier(saved(tmp_path / "x.ckpt"), "cpu"), small(synthetic())]
    found = torch.stack([row for _, row in classify(models, paths, batch_size=2)])
    each = [torch.stack([row for _, row in classify(model, paths)]) for model in models]
    assert torch.allclose(found, (each[0] + each[1]) / 2, atol=1e-6)
    assert not torch.allclose(*each, atol=1e-3)


@pytest.mark.parametrize(
    ("other", "line"),
    [
        ({"num_classes": 5}, r"models of class_names \('pattern 0', .* can't be averaged: give those of one data set"),
        ({"image_size": 20}, r"models of image_shape \(1, 16, 16\) and \(1, 20, 20\) can't be averaged: "),
    ],
)
def test_models_of_other_data_are_not_averaged(other: dict[str, int], line: str, paths: list[Path]) -> None:
    models = [small(synthetic()), small(synthetic(**other))]
    with pytest.raises(UserError, match=line):
        next(classify(models, paths))
