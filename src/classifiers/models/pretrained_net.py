"""Nets of torchvision's and timm's, with their weights, under a new head."""

import difflib
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from classifiers.experiment.checkpoints.weights_to_come import are_weights_to_come
from classifiers.experiment.errors import UserError, one_line
from classifiers.models import timm_nets, torchvision_nets
from classifiers.models.net import Net
from classifiers.models.weight_files import fill

TIMM = "timm/"


class PretrainedNet(Net):
    """A classifier of torchvision's or timm's, whose head is a new one for `num_classes`; grey images are repeated.

    A data module of images of any size takes over the size, mean and deviation that its weights are for, unless it is
    told others: see `images`.

    Args:
        name: as `torchvision.models.list_models` has it, or, of timm's, as `timm/resnet18`.
        weights: a name of torchvision's, such as `IMAGENET1K_V1`, which are downloaded at need; or a file that holds
            them, of torch's or safetensors'; None means random ones.

    Raises:
        UserError: no such net or weights, weights of another net, or images of a size that it can't take.
    """

    def __init__(
        self, in_channels: int, image_size: int, num_classes: int, name: str, weights: str | None = "DEFAULT"
    ) -> None:
        zoo, known = _found(name)
        if in_channels not in (1, 3):
            raise UserError(f"{name} takes images of 1 or 3 channels, not {in_channels}")
        try:
            backbone, features, heads = zoo.headless(known, image_size, weights is not None)
            if not are_weights_to_come():
                _try(backbone, image_size)
        except (RuntimeError, ValueError, TypeError, AssertionError) as error:
            size = f"{image_size} x {image_size} pixels"
            raise UserError(f"{name} takes no images of {size}, --data.image_size: {one_line(error)}") from error
        if weights and not are_weights_to_come():
            fill(
                backbone,
                zoo.read(backbone, known, weights, image_size),
                heads,
                f"--model.net.weights {weights} is of another net than {name}",
            )
        super().__init__(backbone, nn.Linear(features, num_classes))

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.expand(-1, 3, -1, -1))

    @classmethod
    def images(  # type: ignore[override]
        cls, in_channels: int, name: str, weights: str | None = "DEFAULT", **_: Any
    ) -> dict[str, Any]:
        """Of random weights, none are asked for."""
        zoo, known = _found(name)
        if weights is None:
            return {}
        size, *statistics = zoo.images(known, weights)
        mean, std = ([sum(values) / 3] if in_channels == 1 else list(values) for values in statistics)
        return {"image_size": size, "mean": mean, "std": std}


def _found(name: str) -> tuple[Any, str]:
    """Where the net of that name is from, and how it is called there."""
    zoo, known = (timm_nets, name.removeprefix(TIMM)) if name.startswith(TIMM) else (torchvision_nets, name)
    if known.partition(".")[0] in zoo.names():
        return zoo, known
    names = torchvision_nets.names()
    with suppress(UserError):  # where timm isn't installed
        names += [f"{TIMM}{other}" for other in timm_nets.names()]
    near = difflib.get_close_matches(name, names, cutoff=0.5)
    raise UserError(f"--model.net.name: torchvision and timm have no {name}: near it are {', '.join(near)}")


@torch.no_grad()
def _try(net: nn.Module, size: int) -> None:
    net.eval()(torch.zeros(1, 3, size, size))
    net.train()
