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
