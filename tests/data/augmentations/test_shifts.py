import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from classifiers.data import RandomCrop, RandomHorizontalFlip


@pytest.fixture
def images() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randint(256, (200, 3, 9, 7), dtype=torch.uint8)


def test_crop_cuts_a_window_out_of_each_mirrored_image(images: torch.Tensor) -> None:
    cropped = RandomCrop(padding=2)(images)
    assert cropped.dtype == torch.uint8
    assert cropped.shape == images.shape
    padded = F.pad(images.float(), [2] * 4, mode="reflect").to(torch.uint8)
    places = set()
    for image, window in zip(padded, cropped, strict=True):
        (place,) = [
            (row, column)
            for row in range(5)
            for column in range(5)
            if torch.equal(image[:, row : row + 9, column : column + 7], window)
        ]
        places.add(place)
    assert len(places) == 25


def test_flip_mirrors_a_part_of_the_images(images: torch.Tensor) -> None:
    flipped = RandomHorizontalFlip(p=0.3)(images)
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    kept = (flipped == images).flatten(1).all(1)
    assert (mirrored ^ kept).all()
    assert 35 < mirrored.sum() < 85
    assert flipped.dtype == torch.uint8


def test_flip_never_and_always(images: torch.Tensor) -> None:
    assert torch.equal(RandomHorizontalFlip(p=0)(images), images)
    assert torch.equal(RandomHorizontalFlip(p=1)(images), images.flip(3))
