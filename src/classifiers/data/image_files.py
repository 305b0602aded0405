"""Image files of any kind as the tensors that a classifier takes."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms.v2.functional import pil_to_tensor

from classifiers.experiment.errors import UserError, one_line

FORMATS = (
    "AVIF",
    "BMP",
    "GIF",
    "JPEG",
    "JPEG2000",
    "PNG",
    "PPM",
    "TIFF",
    "WEBP",
)  # PIL has others, some of which run programs
MODES = {1: "L", 3: "RGB"}


def read_image(path: str | Path, shape: Sequence[int]) -> Tensor:
    """The image file at `path` as a uint8 tensor `(C, H, W)` of that `shape`: grey if C is 1, RGB if it is 3.

    It is turned as its EXIF data say, and laid on white where it is transparent; 16 bits become 8; height and width
    become those of `shape`, whatever they were.

    Raises:
        UserError: there is no such file, it is no image or a damaged one, holds several, or is too large to be decoded.
    """
    _, height, width = shape
    with _opened(path) as image:
        image.draft(None, (4 * width, 4 * height))  # decodes a large JPEG at a fraction of its size
        return resized(image, shape)


def resized(image: Image.Image, shape: Sequence[int]) -> Tensor:
    """As `read_image`, of an image that is opened already."""
    channels, height, width = shape
    upright = ImageOps.exif_transpose(image)
    small = _flattened(upright).convert(MODES[channels]).resize((width, height), Image.Resampling.BILINEAR)
    tensor: Tensor = pil_to_tensor(small)
    return tensor


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
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """The one image of a file; whatever goes wrong with it becomes a UserError."""
    try:
        if not Path(path).is_file():
            raise UserError(f"there is no file {path}")
        with Image.open(path, formats=FORMATS) as image:
            if getattr(image, "is_animated", False) and image.format != "MPO":  # a photo with its preview
                raise UserError(f"{path} is an animation or has several pages: save the one image to classify")
            yield image
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(f"{path} is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UserError(f"{path} has more than {Image.MAX_IMAGE_PIXELS:,} pixels: make it smaller") from error
    except Exception as error:  # PIL's decoders raise anything at damaged files
        raise UserError(f"{path} can't be read: {one_line(error)}") from error


def _flattened(image: Image.Image) -> Image.Image:
    """Of 8 bits a channel, and without transparency."""
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
