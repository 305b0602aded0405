"""A folder of small images of many kinds, with a sub-folder for each class."""

from pathlib import Path

import numpy as np
from PIL import Image

KINDS = [(".png", "L"), (".jpg", "RGB"), (".webp", "RGBA"), (".png", "P"), (".jpg", "CMYK"), (".tif", "I;16")]
SHADES = {"dark": 60, "light": 180}  # around which the pixels of a class are


def write_photos(folder: Path, count: int, classes: dict[str, int] = SHADES) -> Path:
    """Write `count` images of 8 to 40 pixels a side into the sub-folder of each class."""
    draw = np.random.default_rng(0)
    for name, shade in classes.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = draw.integers(shade - 40, shade + 40, size=(*draw.integers(8, 40, size=2), 3), dtype=np.uint8)
            suffix, mode = KINDS[index % len(KINDS)]
            image = Image.fromarray(pixels)
            shown = Image.fromarray(pixels[..., 0].astype(np.uint16) << 8) if mode == "I;16" else image.convert(mode)
            shown.save(folder / name / f"{index:03}{suffix}")
    return folder
