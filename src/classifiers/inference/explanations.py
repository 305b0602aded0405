"""Pictures with what their class was seen by."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from classifiers.classifier import ImageClassifier
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import output_file, require_writable
from classifiers.figures.heat import heat_over
from classifiers.inference.grad_cam import heat

OPTION = "--explain"


class Explanations:
    """Writes into `folder`, for each of the `pictures`, one of what speaks for its class.

    Raises:
        UserError: the net makes no feature map; the folder can't be written into, or holds a picture itself.
    """

    def __init__(self, model: ImageClassifier, folder: Path, pictures: Sequence[Path]) -> None:
        self.model, self.folder = model, folder
        self._named = Counter[str]()
        if folder.resolve() in {path.parent.resolve() for path in pictures}:
            raise UserError(f"{OPTION} {folder} is the folder of pictures to classify: name another one")
        assert model.image_shape is not None
        blank = torch.zeros(1, *model.image_shape, dtype=torch.uint8, device=model.device)
        heat(model, blank, torch.zeros(1, dtype=torch.long, device=model.device))
        require_writable(folder, OPTION)

    def __call__(self, paths: Sequence[Path], images: Tensor, probabilities: Tensor) -> None:
        """Of a batch: the pictures, as uint8 `(B, C, H, W)`, and their class probabilities `(B, K)`."""
        sure, classes = probabilities.max(1)
        heats = heat(self.model, images, classes)
        for path, image, warm, label, share in zip(paths, images, heats, classes.tolist(), sure.tolist(), strict=True):
            figure = heat_over(image, warm, f"{self.model.class_names[label]} {share:.1%}")
            with output_file(self.folder / self._name(path), f"another {OPTION}") as file:
                figure.savefig(file, format="png")

    def _name(self, path: Path) -> str:
        """That of the picture; of a further one of its name, numbered."""
        self._named[path.stem] += 1
        count = self._named[path.stem]
        return f"{path.stem}.png" if count == 1 else f"{path.stem}-{count}.png"
