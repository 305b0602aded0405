import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as v2

from classifiers.data import RandomResizedCrop, RandomRotation
from classifiers.data.augmentations.warps import rotated, warped
from classifiers.experiment.errors import UserError


def ramp(count: int, height: int = 40, width: int = 30) -> Tensor:
    """Images `(B, 2, H, W)` whose channels are five times the pixel's row and its column."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (5 * torch.stack([rows, columns])).to(torch.uint8).repeat(count, 1, 1, 1)


def boxes(images: Tensor) -> tuple[Tensor, Tensor]:
    """How many rows and columns `(B,)` of a ramp each image shows, by the slopes within it."""
    inner = images.double()[:, :, 10:-10, 10:-10] / 5
    rows, columns = (inner[:, 0, -1] - inner[:, 0, 0]).mean(1), (inner[:, 1, :, -1] - inner[:, 1, :, 0]).mean(1)
    return rows / (inner.shape[2] - 1) * images.shape[2], columns / (inner.shape[3] - 1) * images.shape[3]


def test_a_crop_shows_a_box_of_the_area_and_ratio_asked_for_anywhere() -> None:
    torch.manual_seed(0)
    images = ramp(500)
    cropped = RandomResizedCrop(scale=(0.3, 0.6), ratio=(0.5, 2.0))(images)
    assert (cropped.dtype, cropped.shape) == (torch.uint8, images.shape)
    rows, columns = boxes(cropped)
    area, ratio = rows * columns / 1200, columns / rows
    assert 0.28 < area.min() < 0.32
    assert 0.58 < area.max() < 0.62
    assert 0.45 < ratio.min() < 0.6
    assert 1.6 < ratio.max() < 2.1
    first, last = cropped[:, 0, 0].float().mean(1) / 5, cropped[:, 0, -1].float().mean(1) / 5
    assert first.min() < 1  # boxes touch the upper border, and the lower one
    assert last.max() > 38
    assert (last - first > 5).all()


def test_a_crop_of_all_changes_nothing() -> None:
    images = ramp(3, 32, 32)
    assert torch.equal(RandomResizedCrop((1, 1), (1, 1))(images), images)


@pytest.mark.parametrize("size", [(21, 21), (16, 24)])
def test_images_are_turned_as_torchvision_turns_them(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    images, degrees = torch.randint(256, (4, 3, *size), dtype=torch.uint8), torch.tensor([[0.0], [10], [90], [-135]])
    turned = rotated(images, degrees, "zeros")
    for image, found, angle in zip(images, turned, degrees, strict=True):
        expected = v2.rotate(image.float(), float(angle), InterpolationMode.BILINEAR)
        assert (found - expected).abs()[:, 6:-6, 6:-6].max() <= 0.51


def test_rotation_draws_an_angle_for_each_image() -> None:
    torch.manual_seed(0)
    images = torch.zeros(300, 1, 41, 41, dtype=torch.uint8)
    images[..., 20, 34:] = 255  # to the right
    turned = RandomRotation(30)(images).float()
    rows, columns = torch.meshgrid(torch.arange(41) - 20.0, torch.arange(41) - 20.0, indexing="ij")
    weight = turned[:, 0] / turned.sum((1, 2, 3))[:, None, None]
    angles = torch.atan2((-weight * rows).sum((1, 2)), (weight * columns).sum((1, 2))).rad2deg()
    assert -31 < angles.min() < -28
    assert 28 < angles.max() < 31
    assert angles.mean().abs() < 3


def test_the_border_mirrors() -> None:
    images = ramp(1, 8, 8)
    one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    moved = warped(images, (one, zero, one / 2), (zero, one, zero), "reflection")  # by two pixels
    assert (moved[0, 1, 0] // 5).tolist() == [2, 3, 4, 5, 6, 7, 7, 6]


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            lambda: RandomResizedCrop(scale=(0.5, 0.2)),
            "RandomResizedCrop's scale is [0.5, 0.2]: it must be two",
        ),
        (
            lambda: RandomResizedCrop(ratio=(0, 2)),
            "RandomResizedCrop's ratio is [0, 2]: it must be two",
        ),
        (lambda: RandomRotation(-5), "RandomRotation's degrees is -5: it must be from 0 to 180"),
    ],
)
def test_a_wrong_range_is_one_line(made: object, line: str) -> None:
    with pytest.raises(UserError) as error:
        made()  # type: ignore[operator]
    assert str(error.value).startswith(line)
