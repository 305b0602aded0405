"""What a net's head is given of each image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from classifiers.classifier import ImageClassifier
from classifiers.models.net import head_of


class Features:
    """Collects the features `(N, F)` of pictures, and their paths.

    Raises:
        UserError: the net has no head.
    """

    def __init__(self, model: ImageClassifier) -> None:
        self.model, self.head = model, head_of(model.net)
        self.paths: list[str] = []
        self.rows: list[Tensor] = []

    @torch.inference_mode()
    def __call__(self, paths: Sequence[Path], images: Tensor, probabilities: Tensor) -> None:
        """Of a batch: the pictures, as uint8 `(B, C, H, W)`."""

        def note(head: Any, given: tuple[Tensor, ...]) -> None:
            self.rows.append(given[0].flatten(1).float().cpu())

        hook = self.head.register_forward_pre_hook(note)
        self.model.net(self.model.normalise(images))
        hook.remove()
        self.paths += map(str, paths)

    def write(self, file: BinaryIO) -> None:
        """As NumPy's archive: `features` `(N, F)`, `paths` `(N,)` and `class_names` `(K,)`."""
        features = torch.cat(self.rows).numpy() if self.rows else np.zeros((0, 0), np.float32)
        np.savez(file, features=features, paths=np.array(self.paths), class_names=np.array(self.model.class_names))
