"""Which images are copies of others, and which look like others."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from classifiers.data.identity import Words

THUMBNAIL = (16, 18)  # pixels; half as many each way make a difference hash of 8 × 8 bits
TURNS, NEIGHBOURS = 8, 8  # with how many others an image is compared in each of so many orders
FLAT = 2  # of 255: a step that is none
BITS = 4  # in which hashes of images that look alike may differ
COMMON = 3e-3  # the share of all variance from which on what images have in common counts less
ALIKE = 0.95  # of 1
CHUNK = 2**14  # pairs compared at once


def thumbnails(images: Tensor) -> Tensor:
    """Small grey ones `(B, 16, 18)` of the images `(B, C, H, W)`."""
    return F.interpolate(images.float().mean(1, keepdim=True), THUMBNAIL, mode="area")[:, 0]


def copies(words: Words) -> Tensor:
    """The pairs `(P, 2)` of each image that has the word of one before it, and the first such."""
    _, first, kinds = np.unique(words, return_index=True, return_inverse=True)
    pairs = np.stack([first[kinds], np.arange(len(words))], 1)
    return torch.from_numpy(pairs[pairs[:, 0] < pairs[:, 1]])


def lookalikes(small: Tensor) -> Tensor:
    """The pairs `(P, 2)` of thumbnails `(N, 16, 18)` that look alike, the most alike first: nearly all of them.

    Their hashes differ in no more than `BITS`, and what is left of them without what most of the set look like agrees.
    """
    pairs = _near(small)
    rows = _peculiar(small.flatten(1))
    likeness = [(rows[some[:, 0]] * rows[some[:, 1]]).sum(1) for some in torch.split(pairs, CHUNK)]
    alike = torch.cat(likeness)
    order = alike.argsort(descending=True, stable=True)
    return pairs[order[alike[order] >= ALIKE]]


def _near(small: Tensor) -> Tensor:
    """The pairs `(P, 2)` of similar hashes: they are neighbours when all are sorted, from one bit or another on."""
    places = F.avg_pool2d(small[:, None], 2)[:, 0]  # (N, 8, 9)
    bits = (places.diff(dim=2) > FLAT).flatten(1).numpy()  # (N, 64)
    found: list[NDArray[np.int64]] = []
    for turn in range(0, 64, 64 // TURNS):
        order = np.packbits(np.roll(bits, turn, 1), axis=1).view(np.uint64)[:, 0].argsort(kind="stable")
        for step in range(1, NEIGHBOURS + 1):
            pairs = np.stack([order[:-step], order[step:]], 1)
            found.append(pairs[(bits[pairs[:, 0]] != bits[pairs[:, 1]]).sum(1) <= BITS])
    return torch.from_numpy(np.unique(np.sort(np.concatenate(found), 1), axis=0))


def _peculiar(rows: Tensor) -> Tensor:
    """The rows `(N, D)`, at length 1 and of mean 0, with less of the directions that many of them share."""
    rows = F.normalize(rows - rows.mean(1, keepdim=True))
    variances, directions = torch.linalg.eigh(rows.T @ rows / len(rows))
    return F.normalize(rows @ directions / (variances.clamp(min=0) + COMMON + 1 / len(rows)).sqrt())  # few say little
