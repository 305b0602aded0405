import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import pil_to_tensor

from classifiers.data.identity import pixel_words
from classifiers.data.lookalikes import copies, lookalikes, thumbnails

SIDE = 48


def scenes(count: int) -> Tensor:
    """Pictures `(N, 3, 48, 48)` that have nothing in common."""
    draw = np.random.default_rng(0)
    coarse = [Image.fromarray(draw.integers(256, size=(5, 5, 3), dtype=np.uint8)) for _ in range(count)]
    return torch.stack([pil_to_tensor(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for image in coarse])


def saved(image: Tensor, **how: Any) -> Tensor:
    file = io.BytesIO()
    Image.fromarray(image.movedim(0, 2).numpy()).save(file, "JPEG", **how)
    return pil_to_tensor(Image.open(file))


def smaller(image: Tensor) -> Tensor:
    shrunk = Image.fromarray(image.movedim(0, 2).numpy()).resize((30, 30)).resize((SIDE, SIDE))
    return pil_to_tensor(shrunk)


CHANGES = {
    "saved again": lambda image: saved(image, quality=60),
    "resized": smaller,
    "paler": lambda image: (image * 0.7 + 60).to(torch.uint8),
    "in grey": lambda image: image.float().mean(0, keepdim=True).expand(3, -1, -1).to(torch.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("count", [2, 20, 400])
def test_a_picture_that_was_changed_a_little_is_found(change: str, count: int) -> None:
    images = scenes(count)
    images = torch.cat([images, CHANGES[change](images[1])[None], CHANGES[change](images[0])[None]])
    assert sorted(lookalikes(thumbnails(images)).tolist()) == [[0, count + 1], [1, count]]


def test_what_all_have_in_common_makes_none_alike() -> None:
    """As clothes before black: here are two thirds of each picture the same."""
    images = scenes(200)
    images[:, :, :, 16:] = scenes(1)[:, :, :, 16:]
    assert len(lookalikes(thumbnails(images))) == 0
    images[7] = smaller(images[9])
    assert lookalikes(thumbnails(images)).tolist() == [[7, 9]]


def test_pictures_of_one_colour_are_not_alike() -> None:
    images = torch.arange(10, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, SIDE, SIDE)
    assert lookalikes(thumbnails(images)).shape == (0, 2)
    assert lookalikes(thumbnails(images[:1])).shape == (0, 2)


def test_the_most_alike_come_first() -> None:
    images = scenes(50)
    images[3], images[5] = saved(images[2], quality=60), saved(images[4], quality=95)
    assert lookalikes(thumbnails(images)).tolist() == [[4, 5], [2, 3]]


def test_of_copies_each_is_told_with_the_first() -> None:
    images = scenes(6)
    images[2] = images[5] = images[1]
    images[4] = images[0]
    assert copies(pixel_words(images)).tolist() == [[1, 2], [0, 4], [1, 5]]


def test_seventy_thousand_take_seconds() -> None:
    images = torch.rand(70_000, 16, 18, generator=torch.Generator().manual_seed(0)) * 255
    images[69_999] = images[7] * 0.9
    assert lookalikes(images).tolist() == [[7, 69_999]]
