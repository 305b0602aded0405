"""Where in an image a net sees a class: Grad-CAM, after Selvaraju et al. (2017)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from classifiers.classifier import ImageClassifier
from classifiers.experiment.errors import UserError

ATTENTION = ("Attention", "AttentionV2")  # how layers are called whose nets see an image as a row of patches


def heat(model: ImageClassifier, images: Tensor, classes: Tensor) -> Tensor:
    """How much each pixel of uint8 images `(B, C, H, W)` speaks for their `classes` `(B,)`: `(B, H, W)`, in [0, 1].

    The channels of the net's last feature map, each weighted by the mean gradient of the class's logit in it, are
    added, and what speaks against the class is dropped. The greatest value of an image is 1, unless all are 0.

    Raises:
        UserError: the net makes no feature map.
    """
    normalised = model.normalise(images).requires_grad_()  # or a frozen net would have no gradients
    with torch.enable_grad(), _last_map(model.net) as maps:
        logits = model.net(normalised)
    if not maps:
        name = type(model.net).__name__
        raise UserError(f"{name} makes no feature map (B, C, h, w), over which it could be explained")
    (gradients,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), maps[-1])
    found = (gradients.mean((2, 3), keepdim=True) * maps[-1].detach()).sum(1, keepdim=True).relu()
    shares = found / found.amax((2, 3), keepdim=True).clamp(min=torch.finfo(found.dtype).tiny)
    return F.interpolate(shares, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]


@contextmanager
def _last_map(net: nn.Module) -> Iterator[list[Tensor]]:
    """A list of the last output `(B, C, h, w)` of a part of `net` with more than one place, empty if there is none, or
    if the net has attention: its maps are of patches, or have their channels last.
    """
    maps: list[Tensor] = []

    def note(part: nn.Module, given: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2:].numel() > 1:
            maps[:] = [output]

    with ExitStack() as hooks:
        if not any(type(part).__name__.endswith(ATTENTION) for part in net.modules()):
            for part in net.modules():
                hooks.callback(part.register_forward_hook(note).remove)
        yield maps
