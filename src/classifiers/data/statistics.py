"""The channels' mean and standard deviation, computed from images."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

CHUNK = 2**18  # bytes of pixels that are looked at together, as the processor's cache holds them


def mean_and_std(batches: Iterable[Tensor]) -> tuple[list[float], list[float]]:
    """Those of each channel of all uint8 images `(B, C, H, W)`, in [0, 1]."""
    counts = [torch.stack([channel.flatten().bincount(minlength=256) for channel in images.movedim(1, 0)])
              for images in _chunks(batches)]  # fmt: skip
    histogram = torch.stack(counts).sum(0)  # (C, 256)
    pixels, values = histogram.sum(1), torch.arange(256, dtype=torch.float64) / 255
    mean = (histogram * values).sum(1) / pixels  # (C,)
    variance = (histogram * (values - mean[:, None]) ** 2).sum(1) / (pixels - 1)
    return mean.tolist(), variance.sqrt().tolist()


def _chunks(batches: Iterable[Tensor]) -> Iterator[Tensor]:
    for images in batches:
        yield from torch.split(images, max(1, CHUNK // images[0].nbytes))
