"""Pixels of any type and layout as the uint8 `(N, C, H, W)` that models take: exactly, or not at all."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from classifiers.experiment.errors import UserError, one_line

CHUNK = 2**24  # pixels converted at once


def as_tensor(values: Any, what: str) -> Tensor:
    """The numbers of an array, tensor or sequence, on the CPU; UserError, which says of `what`, if there are none."""
    if isinstance(values, Tensor):
        return values.detach().cpu()
    try:
        return torch.from_numpy(np.require(values, requirements=("C", "W")))
    except (TypeError, ValueError) as error:
        raise UserError(f"{what} must be an array of numbers: {one_line(error)}") from error


def as_uint8(images: Tensor, what: str = "images", highest: int = 255) -> Tensor:
    """The images `(N, ...)` as uint8: whole numbers up to 255 as they are, bools and floats in [0, 1] times 255.

    So 1.0 and True are white, as torchvision's `ToTensor` has it. Floats are whole within the rounding of their type.

    Raises:
        UserError: another value, or one above `highest`; integers of 0 and 1 alone, of which 1 may mean white.
    """
    if images.dtype == torch.uint8 or not images.numel():
        return images.to(torch.uint8)
    chunks = torch.split(images, max(1, CHUNK // images[0].numel()))
    low, high = torch.stack([torch.stack(chunk.float().aminmax()) for chunk in chunks]).unbind(1)
    unit = high.max() <= 1 and (images.is_floating_point() or images.dtype == torch.bool)
    tolerance = 0.25 if images.dtype.itemsize < 4 else 1e-3  # half precision rounds the more
    exact = bool(low.min() >= 0 and high.max() <= highest and (unit or high.max() > 1))
    converted = torch.empty(images.shape, dtype=torch.uint8)
    for chunk, pixels in zip(chunks, torch.split(converted, len(chunks[0])), strict=True) if exact else ():
        scaled = chunk.float() * 255 if unit else chunk.float()
        whole = scaled.round()
        exact &= bool((scaled - whole).abs().max() <= tolerance)
        pixels.copy_(whole)
    if not exact:
        values = f"{str(images.dtype).removeprefix('torch.')} from {low.min():g} to {high.max():g}"
        cure = "leave out Normalize, which the model does, or round them to uint8 of 0 to 255 yourself"
        raise UserError(f"{what}: {values} can't be made uint8 exactly; {cure}")
    return converted


def channels_first(images: Tensor) -> Tensor:
    """Images `(N, C, H, W)`, `(N, H, W, C)` or `(N, H, W)` as `(N, C, H, W)`.

    They are as high as wide and of 1 or 3 channels, so that their shape tells which of these it is.

    Raises:
        UserError: any other shape, or one that may be two of these, as 3 × 3 pixels of 3 channels.
    """
    images = images[:, None] if images.ndim == 3 else images
    layouts = (images, images.movedim(-1, 1)) if images.ndim == 4 else ()
    (*fitting,) = (some for some in layouts if some.shape[1] in (1, 3) and some.shape[2] == some.shape[3])
    if len(fitting) != 1:
        layout = "(N, C, H, W), (N, H, W, C) or (N, H, W), and one of them only, with 1 or 3 channels C and H = W"
        raise UserError(f"images have the shape {tuple(images.shape)}: it must be {layout}, so resize or convert them")
    return fitting[0].contiguous()
