"""A net whose training steps are compiled into a graph."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

Mode = Literal["default", "reduce-overhead", "max-autotune"]


class Graph:
    """Calls a net, by a graph of it where that pays: in training, on batches of the full size.

    To make one for the last batch of an epoch and for the few large ones of evaluation would take longer than it saves.

    Args:
        mode: of `torch.compile`; None makes no graph. All but "default" make CUDA graphs too, in whose memory logits
            live until the next step: what is to last longer must be computed from them.
    """

    def __init__(self, mode: Mode | None) -> None:
        self.mode = mode
        self.full_size: int | None = None  # any

    def make(self, net: nn.Module, loader: Any) -> None:
        """Let `net` be compiled, under the names that its parameters have, for the batches of a training `loader`."""
        if self.mode:
            self.full_size = getattr(loader, "batch_size", None)
            net.compile(mode=self.mode, dynamic=False)

    def __call__(self, net: nn.Module, images: Tensor) -> Tensor:
        """Logits `(B, K)` of normalised images `(B, C, H, W)`."""
        full = net.training and self.full_size in (None, len(images))
        if self.mode is None or full or torch.compiler.is_compiling():
            return net(images)  # type: ignore[no-any-return]
        with torch.compiler.set_stance("force_eager"):
            return net(images)  # type: ignore[no-any-return]
