"""What becomes of a picture before a net sees it, for those who do it without this package."""

from collections.abc import Sequence
from typing import Any

from classifiers.data.image_files import MODES
from classifiers.data.resizing import Resize

HOW = {"squash": "as it comes", "crop": "kept, both ends cut off", "pad": "kept, background on both sides"}
IN_SHORT = {"squash": "resized", "crop": "resized and cropped", "pad": "resized and padded"}
PILLOW = {"squash": "Image.resize", "crop": "ImageOps.fit", "pad": "ImageOps.pad"}


def preparation(shape: Sequence[int], resize: Resize = "squash") -> dict[str, Any]:
    """What `read_image` does for that `shape`, in this order, as plain values."""
    channels, height, width = shape
    return {
        "jpeg_draft": {"least_width": 4 * width, "least_height": 4 * height},  # of PIL's Image.draft
        "exif_orientation": "applied",
        "background": "white",
        "mode": MODES[channels],
        "colour_space": "sRGB",
        "bits": 8,
        "width": width,
        "height": height,
        "aspect_ratio": HOW[resize],
        "pillow": PILLOW[resize],
        "filter": "bilinear",
        "antialiasing": True,
        "axes": "NCHW",
        "channels": ["grey"] if channels == 1 else ["red", "green", "blue"],
        "dtype": "uint8",
        "range": [0, 255],
    }


def in_short(shape: Sequence[int], resize: Resize = "squash") -> str:
    """The same, for a person."""
    channels, height, width = shape
    size = f"{IN_SHORT[resize]} to {width} × {height} (bilinear, antialiased)"
    return f"upright by its EXIF data, on white, {MODES[channels]} in sRGB, {size}"
