"""A folder of many JPEG files, of the size that nets for photos take."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, PICTURES = 224, 500


def write_jpegs(folder: Path, count: int, classes: int) -> None:
    """So many JPEG files of noise over soft colours, about 20 KiB each."""
    draw, pictures = np.random.default_rng(0), []
    for _ in range(PICTURES):
        soft = Image.fromarray(draw.integers(256, size=(28, 28, 3), dtype=np.uint8)).resize((SIDE, SIDE))
        noise = draw.integers(-12, 12, (SIDE, SIDE, 3))
        content = io.BytesIO()
        Image.fromarray((np.asarray(soft) + noise).clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=90)
        pictures.append(content.getvalue())
    for label in range(classes):
        (folder / f"{label:03}").mkdir(parents=True)
    for index in range(count):
        (folder / f"{index % classes:03}" / f"{index:07}.jpg").write_bytes(pictures[index % PICTURES])
