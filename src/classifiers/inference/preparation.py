"""What becomes of a picture before a net sees it, for those who do it without this package."""

from collections.abc import Sequence
from typing import Any

from classifiers.data.image_files import MODES


def preparation(shape: Sequence[int]) -> dict[str, Any]:
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
        "aspect_ratio": "as it comes",
        "filter": "bilinear",
        "antialiasing": True,
        "axes": "NCHW",
        "channels": ["grey"] if channels == 1 else ["red", "green", "blue"],
        "dtype": "uint8",
        "range": [0, 255],
    }


def in_short(shape: Sequence[int]) -> str:
    """The same, for a person."""
    channels, height, width = shape
    size = f"{width} × {height} (bilinear, antialiased)"
    return f"upright by its EXIF data, on white, {MODES[channels]} in sRGB, resized to {size}"
