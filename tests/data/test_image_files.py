import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from classifiers.data.image_files import read_image
from classifiers.experiment import terminal
from classifiers.experiment.errors import UserError

ORANGE = (200, 100, 50)
GREY = 124  # of orange


def noise(*shape: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8))


def png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b""), b"IEND")
    parts = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(("size", "channels"), [((28, 28), 1), ((28, 28, 3), 3)])
def test_an_image_like_the_training_data_is_read_as_it_is(size: tuple[int, ...], channels: int, tmp_path: Path) -> None:
    image = noise(*size)
    image.save(tmp_path / "x.png")
    read = read_image(tmp_path / "x.png", (channels, 28, 28))
    assert read.dtype == torch.uint8
    assert torch.equal(read, torch.from_numpy(np.array(image)).view(28, 28, channels).movedim(2, 0))


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.webp", "x.avif", "x.gif", "x.bmp", "x.tif"])
@pytest.mark.parametrize("size", [(1, 1), (90, 60), (3000, 2000)])
def test_any_format_and_size(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("RGB", size, ORANGE).save(tmp_path / name)
    read = read_image(tmp_path / name, (3, 8, 12))
    assert read.shape == (3, 8, 12)
    assert (read.int() - torch.tensor(ORANGE).view(3, 1, 1)).abs().max() <= 8  # some formats lose colour


@pytest.mark.parametrize(
    ("image", "rgb", "grey"),
    [
        (Image.new("1", (4, 4), 1), (255, 255, 255), 255),
        (Image.new("L", (4, 4), 7), (7, 7, 7), 7),
        (Image.new("I;16", (4, 4), 65535), (255, 255, 255), 255),
        (Image.new("I;16", (4, 4), 0x8012), (128, 128, 128), 128),
        (Image.new("P", (4, 4), ORANGE), ORANGE, GREY),
        (Image.new("RGB", (4, 4), ORANGE).convert("CMYK"), ORANGE, GREY),
        (Image.new("RGBA", (4, 4), (*ORANGE, 255)), ORANGE, GREY),
        (Image.new("RGBA", (4, 4), (*ORANGE, 0)), (255, 255, 255), 255),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 51)), (204, 204, 204), 204),
        (Image.new("LA", (4, 4), (0, 51)), (204, 204, 204), 204),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_any_mode(image: Image.Image, rgb: tuple[int, ...], grey: int, tmp_path: Path) -> None:
    image.save(tmp_path / "x.tif")
    assert read_image(tmp_path / "x.tif", (3, 4, 4))[:, 2, 2].tolist() == list(rgb)
    assert read_image(tmp_path / "x.tif", (1, 4, 4))[:, 2, 2].tolist() == [grey]


def test_a_transparent_colour_of_a_palette_is_white(tmp_path: Path) -> None:
    Image.new("P", (4, 4), ORANGE).save(tmp_path / "x.png", transparency=0)
    assert read_image(tmp_path / "x.png", (3, 4, 4))[:, 0, 0].tolist() == [255, 255, 255]


def test_an_image_is_turned_as_its_exif_data_say(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)).save(tmp_path / "x.png", exif=exif)
    assert read_image(tmp_path / "x.png", (1, 3, 2)).tolist() == [[[4, 1], [5, 2], [6, 3]]]


def test_shrinking_loses_no_pixel(tmp_path: Path) -> None:
    board = np.indices((256, 256)).sum(0) % 2 * 255
    Image.fromarray(board.astype(np.uint8)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", (1, 4, 4)).unique().tolist() in ([127], [128], [127, 128])


def test_a_photo_with_its_preview_is_one_image(tmp_path: Path) -> None:
    photo = Image.new("RGB", (8, 8), ORANGE)
    photo.save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=[Image.new("RGB", (4, 4))])
    assert read_image(tmp_path / "x.jpg", (1, 8, 8)).unique().tolist() == [GREY]


@pytest.mark.parametrize("name", ["x.gif", "x.png", "x.webp", "x.tif"])
def test_an_animation(name: str, tmp_path: Path) -> None:
    noise(8, 8).save(tmp_path / name, save_all=True, append_images=[noise(8, 8).rotate(90)])
    with pytest.raises(
        UserError, match=r"x\.\w+ is an animation or has several pages: save the one image to classify$"
    ):
        read_image(tmp_path / name, (1, 8, 8))


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000)])
def test_an_image_bomb_is_refused_before_it_is_decoded(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("it is decoded"))
    (tmp_path / "x.png").write_bytes(png_that_claims(*size))
    with pytest.raises(UserError, match=r"x\.png has more than 89,478,485 pixels: make it smaller$"):
        read_image(tmp_path / "x.png", (1, 8, 8))


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_a_file_that_is_no_image(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.png is no AVIF, BMP, GIF, JPEG, JPEG2000, PNG, PPM, TIFF or WEBP image$"):
        read_image(tmp_path / "x.png", (1, 8, 8))


CUTS: dict[str, tuple[dict[str, object], bool, bool]] = {  # whether all pixels are there without 1 byte, without 10
    "x.jpg": ({}, True, False),
    "x.png": ({}, True, True),
    "x.gif": ({}, True, False),
    "x.bmp": ({}, False, False),
    "x.ppm": ({}, False, False),
    "x.tif": ({}, False, False),
    "lzw.tif": ({"compression": "tiff_lzw"}, False, False),
    "jpeg.tif": ({"compression": "jpeg"}, False, False),
    "x.webp": ({}, False, False),
    "lossless.webp": ({"lossless": True}, False, False),
    "x.avif": ({}, False, False),
    "x.jp2": ({}, False, False),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_file_that_ends_early_is_whole_or_refused(name: str, tmp_path: Path) -> None:
    how, without_one, without_ten = CUTS[name]
    noise(64, 64, 3).save(tmp_path / name, **how)  # type: ignore[arg-type]
    content = (tmp_path / name).read_bytes()
    whole = read_image(tmp_path / name, (3, 64, 64))
    for lacking, readable in ((1, without_one), (10, without_ten), (len(content) // 2, False)):
        (tmp_path / name).write_bytes(content[:-lacking])
        if readable:
            assert torch.equal(read_image(tmp_path / name, (3, 64, 64)), whole)
        else:
            with pytest.raises(UserError, match=rf"^{tmp_path}/{name} (can't be read: .|is no AVIF, )"):
                read_image(tmp_path / name, (3, 64, 64))


@pytest.mark.parametrize(("value", "warned"), [(0, False), (255, True), (4095, True), (4096, False)])
def test_16_bits_of_which_only_12_are_used(
    value: int, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They could be a night's as well, so that they are read as they are."""
    monkeypatch.setattr(terminal, "WARNED", {})
    Image.new("I;16", (4, 4), value).save(tmp_path / "x.png")
    for _ in range(2):
        assert read_image(tmp_path / "x.png", (1, 4, 4)).unique().tolist() == [value >> 8]
    line = (
        "warning: an image of 16 bits a pixel has none above 4095, and is read as nearly black: "
        "if it was taken with fewer bits, save it with its values scaled up to 65535\n"
    )
    assert capsys.readouterr().err == line * warned


def test_an_image_of_32_bits(tmp_path: Path) -> None:
    Image.new("F", (4, 4)).save(tmp_path / "x.tif")
    with pytest.raises(UserError, match=r"x\.tif can't be read: its pixels have 32 bits$"):
        read_image(tmp_path / "x.tif", (1, 4, 4))


@pytest.mark.parametrize("name", ["x.png", "."])
def test_a_file_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="^there is no file "):
        read_image(tmp_path / name, (1, 8, 8))
