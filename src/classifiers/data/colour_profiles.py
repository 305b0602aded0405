"""What the colours of an image are by its ICC profile."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

STEPS = np.arange(0, 256, 15, dtype=np.uint8)
COLOURS = Image.fromarray(np.stack(np.meshgrid(STEPS, STEPS, STEPS), axis=-1).reshape(len(STEPS), -1, 3))
MODES = {"L": "L", "RGB": "RGB", "RGBA": "RGB", "P": "RGB", "CMYK": "CMYK"}  # and what a profile describes of them
VISIBLE = 3  # of 255: sRGB profiles of different makers differ by less


def to_srgb(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What makes sRGB of images of that `mode` with that ICC `profile`, in its own `input_mode`; None if that changes
    nothing that can be seen, or the profile is a damaged one or of other channels.
    """
    return _made(profile, MODES[mode]) if profile and mode in MODES else None


@lru_cache(maxsize=32)  # making one takes longer than an ordinary photo's pixels do
def _made(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        transform = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None
    colours = COLOURS.convert(mode)
    found, plain = (np.asarray(image, np.int16) for image in (transform.apply(colours), colours.convert("RGB")))
    return transform if abs(found - plain).max() >= VISIBLE else None
