"""How a picture of any proportions gets the height and width that a net wants."""

from typing import Literal

from PIL import Image, ImageOps

Resize = Literal["squash", "crop", "pad"]
BILINEAR = Image.Resampling.BILINEAR  # of which PIL's is antialiased


def scaled(image: Image.Image, size: tuple[int, int], resize: Resize) -> Image.Image:
    """The image at the `size` `(width, height)`, or, if it is still to be padded, at one that fits in there.

    "squash" gives up its proportions; "crop" keeps them, and cuts off both ends of what is too long; "pad" keeps them
    and all of the image.
    """
    if image.size == size:
        return image
    if resize == "squash":
        return image.resize(size, BILINEAR)
    if resize == "crop":
        return ImageOps.fit(image, size, BILINEAR)
    return image.resize(_contained(image.size, size), BILINEAR)


def padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image amid white, if it is smaller than `size`."""
    return image if image.size == size else ImageOps.pad(image, size, color="white")


def _contained(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """As `ImageOps.contain` rounds it, but for what is thinner than a pixel."""
    width, height = size
    if width / height > room[0] / room[1]:
        return room[0], max(1, round(height / width * room[0]))
    return max(1, round(width / height * room[1])), room[1]
