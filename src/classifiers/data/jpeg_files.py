"""JPEG files that need more than PIL does for them: very large ones, and those that end a little early."""

from io import BytesIO
from math import prod
from pathlib import Path

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

END = b"\xff\xd9"
RESTARTS = [bytes([0xFF, 0xD0 + number]) for number in range(8)]  # markers between which pixels stand
NOISE = bytes(range(255))  # without a marker
OTHERS = (NOISE.join([b"", *RESTARTS, b""]), NOISE[::-1].join([b"", *RESTARTS[::-1], b""]))  # in place of what is cut


def reduce(image: Image.Image, least: tuple[int, int]) -> None:
    """Let a large JPEG that is opened be decoded at a fraction of its size, which is that of `least` or more.

    Raises:
        DecompressionBombError: what is decoded would still have too many pixels. One that comes in several passes is
            kept as a whole, so no file may have more than four times as many.
    """
    whole = prod(image.size)
    image.draft(None, least)
    kept = whole if image.info.get("progressive") else max(prod(image.size), whole // 4)
    if Image.MAX_IMAGE_PIXELS is not None and kept > Image.MAX_IMAGE_PIXELS:
        raise Image.DecompressionBombError


def decoded(image: Image.Image, file: str | Path | bytes, least: tuple[int, int]) -> Image.Image:
    """The image of a file, at a path or as its bytes, opened and reduced to no less than `least`, with all its pixels.

    Raises:
        OSError: it lacks some. It may lack its end marker, unless it comes in passes or is very large.
    """
    try:
        image.load()
    except OSError:
        if not (isinstance(image, JpegImageFile) and (ended := _ended(file, least))):
            raise
        return ended
    return image


def _ended(file: str | Path | bytes, least: tuple[int, int]) -> Image.Image | None:
    """The image of a file that lacks its end marker; None if it lacks pixels too: these depend on what follows."""
    content = (file if isinstance(file, bytes) else Path(file).read_bytes()).removesuffix(END[:1])
    image = _opened(content)
    if image.info.get("progressive") or prod(image.size) > (Image.MAX_IMAGE_PIXELS or prod(image.size)):
        return None
    found = image.tobytes()
    if any(_opened(content + other).tobytes() != found for other in OTHERS):
        return None
    reduced = _opened(content)
    reduced.draft(None, least)
    return reduced


def _opened(content: bytes) -> Image.Image:
    return JpegImageFile(BytesIO(content + END))
