from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from classifiers.data.colour_profiles import to_srgb
from classifiers.data.image_files import read_image
from tests import profiles

ORANGE = (200, 100, 50)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def colour_of(image: Image.Image, path: Path, channels: int = 3, **saved: object) -> list[int]:
    """What is read of an image of one colour."""
    image.save(path, **saved)  # type: ignore[arg-type]
    return read_image(path, (channels, 4, 4))[:, 0, 0].tolist()


def near(found: list[int], expected: tuple[int, ...], by: int = 1) -> bool:
    return bool((abs(np.subtract(found, expected)) <= by).all())


@pytest.mark.parametrize(
    ("profile", "expected"),
    [(profiles.adobe_rgb(), (227, 100, 42)), (profiles.display_p3(), (216, 93, 24))],
    ids=["Adobe RGB", "Display P3"],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_what_a_profile_says(mode: str, profile: bytes, expected: tuple[int, ...], tmp_path: Path) -> None:
    image = Image.new(mode, (8, 8), ORANGE)
    grey = round(float(np.dot(expected, (0.299, 0.587, 0.114))))
    assert near(colour_of(image, tmp_path / "x.png", icc_profile=profile), expected)
    assert near(colour_of(image, tmp_path / "x.png", 1, icc_profile=profile), (grey,))


@pytest.mark.parametrize("name", ["x.jpg", "x.tif", "x.webp", "x.avif"])
def test_any_format_may_have_one(name: str, tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), ORANGE)
    found = colour_of(image, tmp_path / name, icc_profile=profiles.adobe_rgb())
    assert near(found, (227, 100, 42), by=4)  # some formats lose colour


def test_a_grey_image_of_another_gamma(tmp_path: Path) -> None:
    image = Image.new("L", (8, 8), 128)
    for channels in (1, 3):
        found = colour_of(image, tmp_path / "x.png", channels, icc_profile=profiles.grey(1.8))
        assert near(found, (146,) * channels)


@pytest.mark.parametrize("name", ["x.tif", "x.jpg"])
def test_inks_are_what_a_profile_says(name: str, tmp_path: Path) -> None:
    cyan, black = (Image.new("CMYK", (8, 8), inks) for inks in ((255, 0, 0, 0), (0, 0, 0, 255)))
    assert near(colour_of(cyan, tmp_path / name), (0, 255, 255), by=2)
    assert near(colour_of(cyan, tmp_path / name, icc_profile=profiles.cmyk()), (161, 161, 161), by=3)
    assert near(colour_of(black, tmp_path / name, icc_profile=profiles.cmyk()), (0, 0, 0), by=2)


@pytest.mark.parametrize(
    ("profile", "mode"),
    [
        (None, "RGB"),
        (b"", "RGB"),
        (b"junk", "RGB"),
        (profiles.adobe_rgb()[:200], "RGB"),
        (profiles.adobe_rgb()[:-40], "RGB"),
        (SRGB, "RGB"),
        (SRGB, "P"),
        (profiles.adobe_rgb(), "L"),
        (profiles.adobe_rgb(), "CMYK"),
        (profiles.grey(1.8), "RGB"),
        (profiles.adobe_rgb(), "LAB"),
    ],
    ids=["none", "empty", "junk", "cut", "short", "srgb", "palette", "of a grey image", "cmyk", "grey", "lab"],
)
def test_one_that_says_nothing(profile: bytes | None, mode: str) -> None:
    assert to_srgb(profile, mode) is None


def test_it_is_looked_at_once() -> None:
    assert to_srgb(profiles.adobe_rgb(), "RGB") is to_srgb(profiles.adobe_rgb(), "RGBA")
