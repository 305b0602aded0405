import pytest
import torch

from classifiers.data import RandomErasing
from classifiers.experiment.errors import UserError


def test_a_part_of_the_images_gets_a_box_of_noise() -> None:
    torch.manual_seed(0)
    images = torch.full((600, 3, 40, 30), 7, dtype=torch.uint8)
    erased = RandomErasing(p=0.4, scale=(0.1, 0.3), ratio=(0.5, 2.0))(images)
    assert (erased.dtype, erased.shape) == (torch.uint8, images.shape)
    holes = (erased != 7).any(1)  # (B, H, W)
    some = holes.flatten(1).any(1)
    assert 200 < some.sum() < 280
    rows, columns = holes[some].any(2), holes[some].any(1)
    height, width = rows.sum(1), columns.sum(1)
    assert (holes[some].sum((1, 2)) >= height * width - 3).all()  # whole boxes, but for noise that is 7
    area, ratio = height * width / 1200, height / width
    assert 0.08 < area.min() < 0.12
    assert 0.27 < area.max() < 0.33
    assert 0.4 < ratio.min() < 0.6
    assert 1.7 < ratio.max() < 2.4
    assert rows.any(0).all()  # anywhere, to the last row and column
    assert columns.any(0).all()


def test_never_always_and_all_of_it() -> None:
    torch.manual_seed(0)
    images = torch.zeros(20, 1, 28, 28, dtype=torch.uint8)
    assert torch.equal(RandomErasing(p=0)(images), images)
    whole = RandomErasing(p=1, scale=(1, 1), ratio=(1, 1))(images)
    assert (whole[:, :, :, 0] > 0).any(2).all()
    assert 100 < whole.float().mean() < 155


def test_a_wrong_probability_is_one_line() -> None:
    with pytest.raises(UserError, match="^RandomErasing's p is 1.5: it must be from 0 to 1$"):
        RandomErasing(p=1.5)
