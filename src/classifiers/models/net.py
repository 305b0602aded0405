"""The contract of all nets here: a backbone that makes features, and a head that makes logits of them."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from classifiers.experiment.checkpoints.describing import Described
from classifiers.experiment.errors import UserError


class Net(Described, nn.Module):
    """Maps float images `(B, C, H, W)` to raw logits `(B, num_classes)`.

    A net takes `(in_channels, image_size, num_classes, …)` first; the CLI fills these from the data module. Any other
    `nn.Module` that maps images to logits can be trained too; these two parts make fine-tuning one line. A checkpoint
    knows the arguments that a net was made with, if they are plain values, and makes it again.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.backbone(images))  # (B, C, H, W) → (B, F) → (B, num_classes)
        return logits

    @classmethod
    def images(cls, in_channels: int, **arguments: Any) -> dict[str, Any]:
        """What images a net of these arguments is made for, under the names that arguments of a data module have: one
        that is told nothing else takes them over.
        """
        return {}


def backbone_of(net: nn.Module) -> nn.Module:
    """All of `net` but its head: of one that isn't made of these two parts, the modules beside its last linear layer.

    Raises:
        UserError: it has no linear layer.
    """
    if isinstance(backbone := getattr(net, "backbone", None), nn.Module):
        return backbone
    return nn.ModuleList(_beside(net, head_of(net)))


def head_of(net: nn.Module) -> nn.Module:
    """The head of a `Net`, or else the last linear layer; UserError if there is none."""
    if isinstance(net, Net):
        return net.head
    head = next((part for part in reversed([*net.modules()]) if isinstance(part, nn.Linear)), None)
    if head is None:
        raise UserError(
            f"{type(net).__name__} has neither a backbone nor a linear layer as its head: give it a backbone"
        )
    return head


def _beside(net: nn.Module, head: nn.Module) -> Iterator[nn.Module]:
    for part in net.children():
        if head not in [*part.modules()]:
            yield part
        elif part is not head:
            yield from _beside(part, head)
