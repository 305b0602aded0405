import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as v2

from classifiers.data import TrivialAugment
from classifiers.data.augmentations import trivial_augment as ours


def affine(**given: Any) -> Callable[[Tensor], Tensor]:
    nothing = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    return lambda image: v2.affine(image.float(), **{**nothing, **given}, interpolation=InterpolationMode.BILINEAR)


SHEAR = math.degrees(math.atan(0.4))
PAIRS = [
    (ours.sheared_across, 0.4, affine(shear=[SHEAR, 0], center=[0, 0])),
    (ours.downward(ours.sheared_across), 0.4, affine(shear=[0, SHEAR], center=[0, 0])),
    (ours.moved_across, -3.0, affine(translate=[3, 0])),
    (ours.downward(ours.moved_across), 5.0, affine(translate=[0, -5])),
    (ours.turned, 30.0, lambda image: v2.rotate(image.float(), 30, InterpolationMode.BILINEAR)),
    (ours.posterised, 3.0, lambda image: v2.posterize(image, 3)),
    (ours.solarised, 99.0, lambda image: v2.solarize(image, 99)),
]


@pytest.mark.parametrize(("change", "strength", "theirs"), PAIRS)
def test_a_change_is_that_of_torchvision(
    change: ours.Change, strength: float, theirs: Callable[[Tensor], Tensor]
) -> None:
    torch.manual_seed(0)
    images = torch.randint(256, (2, 3, 20, 24), dtype=torch.uint8)
    changed = change(images, torch.tensor([[strength], [strength]]))
    for image, found in zip(images, changed, strict=True):
        assert (found.float() - theirs(image).float()).abs()[:, 3:-3, 3:-3].max() <= 1


def test_each_image_is_changed_in_one_way_of_any(monkeypatch: pytest.MonkeyPatch) -> None:
    def mark(way: int) -> tuple[ours.Change, float, float]:
        return lambda images, strengths: torch.full_like(images, way) + strengths.byte()[..., None, None], 0, 0

    monkeypatch.setattr(ours, "CHANGES", [mark(way) for way in range(14)])
    torch.manual_seed(0)
    images = torch.zeros(143, 1, 2, 2, dtype=torch.uint8)
    counted = torch.stack([TrivialAugment()(images)[:, 0, 0, 0] for _ in range(60)])
    assert {tuple(row.bincount(minlength=14).sort().values.tolist()) for row in counted} == {(*[10] * 11, 11, 11, 11)}
    assert (counted.flatten().bincount(minlength=14) - 60 * 143 / 14).abs().max() < 20
    assert len(counted[:, 0].unique()) == 14


@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (40, 3, 9, 7), (1, 3, 2, 2)])
def test_it_keeps_type_and_shape(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    images = torch.randint(256, shape, dtype=torch.uint8)
    before = images.clone()
    changed = TrivialAugment()(images)
    assert (changed.dtype, changed.shape) == (torch.uint8, images.shape)
    assert torch.equal(images, before)
    assert shape[0] == 1 or not torch.equal(changed, images)
