from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from classifiers.data.image_files import read_image
from classifiers.data.resizing import Resize
from classifiers.inference.preparation import in_short, preparation


def test_a_picture_in_colour_that_is_not_square() -> None:
    told = preparation((3, 20, 30))
    assert (told["mode"], told["channels"]) == ("RGB", ["red", "green", "blue"])
    assert (told["width"], told["height"]) == (30, 20)
    assert told["jpeg_draft"] == {"least_width": 120, "least_height": 80}
    assert "RGB in sRGB, resized to 30 × 20 (" in in_short((3, 20, 30))


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("size", [(1500, 900), (900, 1501), (31, 8)])
def test_a_picture_is_prepared_as_the_metadata_say(size: tuple[int, int], resize: Resize, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.jpg")
    told = preparation((3, 32, 32), resize)
    with Image.open(tmp_path / "x.jpg") as file:
        file.draft(None, tuple(told["jpeg_draft"].values()))
        options: dict[str, Any] = {"color": told["background"]} if resize == "pad" else {}
        pillow: Any = {"Image": Image.Image, "ImageOps": ImageOps}[told["pillow"].split(".")[0]]
        how = getattr(pillow, told["pillow"].split(".")[1])
        prepared = how(file, (told["width"], told["height"]), Image.Resampling.BILINEAR, **options)
    assert torch.equal(read_image(tmp_path / "x.jpg", (3, 32, 32), resize), pixels_of(prepared))


def pixels_of(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).movedim(2, 0)
