import pytest
import torch

from classifiers.data.statistics import mean_and_std


def test_they_are_those_of_all_pixels_of_all_batches() -> None:
    images = torch.randint(256, (30, 2, 5, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = mean_and_std(images.split(8))
    pixels = images.double() / 255
    assert mean == pytest.approx(pixels.mean((0, 2, 3)).tolist())
    assert std == pytest.approx(pixels.std((0, 2, 3)).tolist())
