"""Image files of any kind as the tensors that a classifier takes."""

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile
from torch import Tensor

from classifiers.data.colour_profiles import to_srgb
from classifiers.data.jpeg_files import decoded, reduce
from classifiers.data.resizing import Resize, padded, scaled
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.terminal import printable, warn_once

# PIL has others, some of which run programs
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
MODES = {1: "L", 3: "RGB"}
ORIENTATION = ExifTags.Base.Orientation
DARK = (
    "an image of 16 bits a pixel has none above 4095, and is read as nearly black: "
    "if it was taken with fewer bits, save it with its values scaled up to 65535"
)


def read_image(
    path: str | Path, shape: Sequence[int], resize: Resize = "squash", content: bytes | None = None
) -> Tensor:
    """The image file at `path` as a uint8 tensor `(C, H, W)` of that `shape`: grey if C is 1, RGB if it is 3.

    If its `content` is given, `path` is but its name.

    It is turned as its EXIF data say, laid on white where it is transparent, and made sRGB if its profile is of other
    colours; 16 bits become 8; height and width become those of `shape` by `resize`, as `scaled` does it, on white.

    Raises:
        UserError: there is no such file, it is no image or a damaged one, holds several, or is too large to be decoded.
    """
    _, height, width = shape
    least = (4 * width, 4 * height)  # pixels that a large JPEG is decoded to
    with _opened(path, content) as image:
        reduce(image, least)
        return resized(decoded(image, path if content is None else content, least), shape, resize)


def resized(image: Image.Image, shape: Sequence[int], resize: Resize = "squash") -> Tensor:
    """As `read_image`, of an image that is opened already."""
    channels, height, width = shape
    upright = image if image.getexif().get(ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)
    flat = _flattened(upright)
    transform = to_srgb(image.info.get("icc_profile"), flat.mode)
    coloured = _converted(flat, transform.input_mode if transform else MODES[channels])
    small = scaled(coloured, (width, height), resize)
    plain = _converted(transform.apply(small) if transform else small, MODES[channels])
    pixels = np.asarray(padded(plain, (width, height))).reshape(height, width, channels)
    return torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))


def pixel_count(path: str | Path) -> int:
    """Of the image file at `path`, as it is; UserError as of `read_image`."""
    with _opened(path) as image:
        return image.width * image.height


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """While this lasts, PIL says nothing of metadata, and refuses an image of too many pixels before it is decoded.

    Filters of warnings are those of all threads: enter it before these start.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def _opened(path: str | Path, content: bytes | None = None) -> Iterator[Image.Image]:
    """The one image of a file; whatever goes wrong with it becomes a UserError."""
    name = printable(str(path))
    try:
        if content is None and not os.path.isfile(path):  # noqa: PTH113  # of many: it is the fastest
            raise UserError(f"there is no file {name}")
        with _open(path if content is None else content) as image:
            if getattr(image, "is_animated", False) and image.format != "MPO":  # a photo with its preview
                raise UserError(f"{name} is an animation or has several pages: save the one image to classify")
            yield image
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(f"{name} is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UserError(f"{name} has more than {Image.MAX_IMAGE_PIXELS:,} pixels: make it smaller") from error
    except Exception as error:  # PIL's decoders raise anything at damaged files
        raise UserError(f"{name} can't be read: {one_line(error)}") from error


def _open(file: str | Path | bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(file) if isinstance(file, bytes) else file, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        with contextlib.suppress(SyntaxError):  # of a JPEG, a fraction may be small enough
            return JpegImageFile(BytesIO(file) if isinstance(file, bytes) else file)
        raise


def _converted(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)  # which would copy it


def _flattened(image: Image.Image) -> Image.Image:
    """Of 8 bits a channel, and without transparency."""
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits")
    if image.mode.startswith("I;16"):
        pixels = np.asarray(image)
        if 0 < pixels.max() < 4096:
            warn_once(DARK)
        return Image.fromarray((pixels >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
