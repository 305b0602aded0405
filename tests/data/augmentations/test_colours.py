from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as v2

from classifiers.data import ColorJitter
from classifiers.data.augmentations.colours import brightened, contrasted, hue_turned, saturated, sharpened
from classifiers.experiment.errors import UserError

PAIRS = [
    (brightened, v2.adjust_brightness, [0.0, 0.5, 1.0, 1.7]),
    (contrasted, v2.adjust_contrast, [0.0, 0.5, 1.0, 1.7]),
    (saturated, v2.adjust_saturation, [0.0, 0.5, 1.0, 1.7]),
    (sharpened, v2.adjust_sharpness, [0.0, 0.5, 1.0, 1.7]),
    (hue_turned, v2.adjust_hue, [-0.5, -0.1, 0.0, 0.3]),
]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("change", "theirs", "numbers"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_images_change_as_those_of_torchvision_each_by_its_number(
    change: Callable[..., Tensor], theirs: Callable[..., Tensor], numbers: list[float], channels: int
) -> None:
    torch.manual_seed(0)
    images = torch.randint(256, (4, channels, 9, 7), dtype=torch.uint8)
    images[:, :, :3] = 100  # without any colour
    before = images.clone()
    changed = change(images, torch.tensor(numbers)[:, None])
    assert torch.equal(images, before)
    assert changed.dtype == torch.uint8
    for image, found, number in zip(images, changed, numbers, strict=True):
        assert (found.int() - theirs(image, number).int()).abs().max() <= 1


def test_each_image_gets_light_and_colours_of_its_own() -> None:
    torch.manual_seed(0)
    images = torch.full((400, 3, 4, 4), 100, dtype=torch.uint8)
    images[:, 0] = 120
    factors = ColorJitter(brightness=0.5)(images)[:, 1, 0, 0] / 100
    assert 0.49 < factors.min() < 0.52
    assert 1.48 < factors.max() < 1.51
    jittered = ColorJitter(hue=0.5)(images)[:, :, 0, 0]
    assert {tuple(row.sort().values.tolist()[::2]) for row in jittered} == {(100, 120)}
    assert (jittered.argmax(1).bincount(minlength=3) > 100).all()
    assert torch.equal(ColorJitter()(images), images)


def test_contrast_and_saturation_are_drawn_too() -> None:
    torch.manual_seed(0)
    images = torch.zeros(300, 3, 4, 4, dtype=torch.uint8)
    images[:, 0, :2] = 200
    assert len(ColorJitter(contrast=0.9)(images)[:, 0, 0, 0].unique()) > 50
    assert len(ColorJitter(saturation=0.9)(images)[:, 1, 0, 0].unique()) > 20


@pytest.mark.parametrize(("option", "most"), [("brightness", 100), ("saturation", 100), ("hue", 0.5)])
def test_a_wrong_strength_is_one_line(option: str, most: float) -> None:
    with pytest.raises(UserError) as error:
        ColorJitter(**{option: -0.1})
    assert str(error.value) == f"ColorJitter's {option} is -0.1: it must be from 0 to {most:g}"
