"""The contract of all nets here: a backbone that makes features, and a head that makes logits of them."""

from torch import Tensor, nn

from classifiers.experiment.checkpoints.describing import Described


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
