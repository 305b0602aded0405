import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile, JpegImagePlugin

from classifiers.data.image_files import read_image
from classifiers.experiment.errors import UserError


def save(path: Path, width: int, height: int, **how: object) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **how)  # type: ignore[arg-type]


@pytest.fixture
def _few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands for 89 million pixels is 10,000."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)


@pytest.mark.usefixtures("_few_pixels")
@pytest.mark.parametrize("size", [(120, 90), (160, 130), (200, 200)])  # in place of 97, 186 and 358 million
def test_one_of_too_many_pixels_is_read_at_a_fraction(size: tuple[int, int], tmp_path: Path) -> None:
    save(tmp_path / "x.jpg", *size)
    with JpegImagePlugin.JpegImageFile(tmp_path / "x.jpg") as image:
        image.draft(None, (32, 32))
        small = np.asarray(image.resize((8, 8), Image.Resampling.BILINEAR))
    assert read_image(tmp_path / "x.jpg", (3, 8, 8)).tolist() == small.transpose(2, 0, 1).tolist()


@pytest.mark.usefixtures("_few_pixels")
@pytest.mark.parametrize(
    ("size", "wanted", "how"),
    [((120, 90), 16, {}), ((120, 90), 8, {"progressive": True}), ((201, 200), 8, {}), ((30_000, 2), 1, {})],
    ids=["too large a fraction", "in passes", "more than four times as many", "thin"],
)
def test_one_that_stays_too_large_is_refused_before_it_is_decoded(
    size: tuple[int, int], wanted: int, how: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "x.jpg", *size, **how)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("it is decoded"))
    with pytest.raises(UserError, match=r"x\.jpg has more than 10,000 pixels: make it smaller$"):
        read_image(tmp_path / "x.jpg", (3, wanted, wanted))


def test_a_limit_that_was_lifted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "x.jpg", 120, 90)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert read_image(tmp_path / "x.jpg", (3, 64, 64)).shape == (3, 64, 64)


@pytest.mark.parametrize("how", [{}, {"restart_marker_blocks": 4}, {"optimize": True}, {"quality": 30}])
@pytest.mark.parametrize("size", [(64, 64), (600, 400)])  # the second is decoded at a fraction
def test_one_that_lacks_its_end_marker_is_whole(size: tuple[int, int], how: dict[str, object], tmp_path: Path) -> None:
    save(tmp_path / "x.jpg", *size, **how)
    content = (tmp_path / "x.jpg").read_bytes()
    whole = read_image(tmp_path / "x.jpg", (3, 32, 32))
    for lacking in (1, 2):
        (tmp_path / "x.jpg").write_bytes(content[:-lacking])
        assert torch.equal(read_image(tmp_path / "x.jpg", (3, 32, 32)), whole)
    for lacking in (10, len(content) // 3, len(content) // 2):
        (tmp_path / "x.jpg").write_bytes(content[:-lacking])
        with pytest.raises(UserError, match=LACKING):
            read_image(tmp_path / "x.jpg", (3, 32, 32))


LACKING = r"^.*x\.jpg can't be read: image file is truncated \(\d+ bytes not processed\)$"


def test_a_pixel_more_than_what_can_be_decoded_is_refused(tmp_path: Path) -> None:
    """Wherever it ends, between two restart markers too, and however little what is missing says."""
    pixels = np.full((32, 32, 3), 255, np.uint8)
    pixels[:8] = np.random.default_rng(0).integers(256, size=(8, 32, 3))
    Image.fromarray(pixels).save(tmp_path / "x.jpg", restart_marker_blocks=1)
    content = (tmp_path / "x.jpg").read_bytes()
    whole = read_image(tmp_path / "x.jpg", (3, 32, 32))
    readable = []
    for end in range(len(content)):
        (tmp_path / "x.jpg").write_bytes(content[:end])
        with contextlib.suppress(UserError):
            assert torch.equal(read_image(tmp_path / "x.jpg", (3, 32, 32)), whole)
            readable.append(end - len(content))
    assert readable == [-2, -1]


def test_one_in_passes_may_lack_one(tmp_path: Path) -> None:
    save(tmp_path / "x.jpg", 64, 64, progressive=True)
    (tmp_path / "x.jpg").write_bytes((tmp_path / "x.jpg").read_bytes()[:-1])
    with pytest.raises(UserError, match=LACKING):
        read_image(tmp_path / "x.jpg", (3, 32, 32))


@pytest.mark.usefixtures("_few_pixels")
def test_a_very_large_one_must_have_its_end(tmp_path: Path) -> None:
    save(tmp_path / "x.jpg", 120, 90)
    (tmp_path / "x.jpg").write_bytes((tmp_path / "x.jpg").read_bytes()[:-1])
    with pytest.raises(UserError, match=LACKING):
        read_image(tmp_path / "x.jpg", (3, 8, 8))
