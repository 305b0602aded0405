"""What is odd about single images of a data set: copies, look-alikes, one colour, far other sizes."""

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.data.identity import Words, pixel_words
from classifiers.data.image_dataset import Batch
from classifiers.data.lookalikes import copies, lookalikes, thumbnails

FAR = 10  # times as many pixels as the median, or as few
TOLD = {
    "copies": "pairs of images with the same pixels",
    "alike": "pairs of images that look alike",
    "one colour": "images of one colour",
    "small": f"files of {FAR} times fewer pixels than usual",
    "large": f"files of {FAR} times more pixels than usual",
}


class Image(NamedTuple):
    """The part that it is of, its file or else its place in the official split, and its class."""

    part: str
    name: str
    label: str


class Finding(NamedTuple):
    """A key of `TOLD`, and the image that it is of, or the two."""

    what: str
    images: tuple[Image, ...]

    @property
    def is_across(self) -> bool:
        """Whether its two images are of different parts."""
        return len({image.part for image in self.images}) > 1


class Traits:
    """Notes what images are like, while batches of them go by."""

    def __init__(self) -> None:
        self._words: list[Words] = []
        self._small: list[Tensor] = []
        self._plain: list[Tensor] = []

    def noting(self, batches: Iterable[Batch]) -> Iterator[Tensor]:
        """The images `(B, C, H, W)` of the batches."""
        for images, _ in batches:
            self._words.append(pixel_words(images))
            self._small.append(thumbnails(images))
            pixels = images.flatten(2)
            self._plain.append((pixels.amax(2) == pixels.amin(2)).all(1))
            yield images

    def findings(self, images: Sequence[Image], places: Tensor) -> Iterator[Finding]:
        """Of the `images` `(N,)`, whose `places` `(N,)` are those at which they went by."""
        words, small, plain = np.concatenate(self._words), torch.cat(self._small), torch.cat(self._plain)
        words = words[places.numpy()]
        first = torch.from_numpy(np.unique(words, return_index=True)[1]).sort().values
        for what, pairs in ("copies", copies(words)), ("alike", first[lookalikes(small[places[first]])]):
            yield from (Finding(what, (images[one], images[other])) for one, other in pairs.tolist())
        yield from (Finding("one colour", (images[place],)) for place in plain[places].nonzero().flatten().tolist())


def of_sizes(images: Sequence[Image], pixels: NDArray[np.int64]) -> Iterator[Finding]:
    """Of the `images` `(N,)` whose files have so many `pixels` `(N,)`."""
    median = np.median(pixels)
    for what, far in (("small", pixels * FAR <= median), ("large", pixels >= median * FAR)):
        yield from (Finding(what, (images[place],)) for place in np.flatnonzero(far).tolist())


def told(findings: Sequence[Finding]) -> Iterator[str]:
    """How many there are of each kind."""
    for what, sentence in TOLD.items():
        of_kind = [finding for finding in findings if finding.what == what]
        across = sum(finding.is_across for finding in of_kind)
        if of_kind:
            yield f"{sentence}: {len(of_kind):,}" + (f", of two parts: {across:,}" if across else "")


def write_findings(file: BinaryIO, findings: Sequence[Finding]) -> None:
    """As a CSV file, a row each."""
    writer = csv.writer(codecs.getwriter("utf-8")(file, "surrogateescape"))
    columns = ("part", "image", "class")
    writer.writerow(["finding", *columns, *(f"other {column}" for column in columns)])
    for what, images in findings:
        writer.writerow([what, *(cell for image in images for cell in image)])
