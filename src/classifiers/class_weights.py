"""A loss in which the images of rare classes count more."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from classifiers.data import ImageDataModule
from classifiers.data.coverage import counts
from classifiers.experiment.errors import UserError

Weighting = Literal["balanced", "effective"]
OVERLAP = 0.999  # of an image with those of its class before it, from 0, which counts classes alike


class ClassWeighted(LightningModule):
    """Gives its loss, as a fit starts, a weight for each class, by how many training images that has. A checkpoint has
    the weights, so that evaluation counts as validation did.
    """

    loss: nn.Module
    class_names: tuple[str, ...]
    class_weights: Weighting | None = None

    def on_fit_start(self) -> None:
        super().on_fit_start()
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        if self.class_weights:
            if not isinstance(data, ImageDataModule):
                raise UserError(f"--model.class_weights {self.class_weights} needs the images of an ImageDataModule")
            weights: Any = self.loss.weight
            weights.copy_(weights_of(counts(data.train_set, len(weights)), self.class_weights, self.class_names))


def weightable(loss: nn.Module, weighting: Weighting | None, classes: int) -> nn.Module:
    """The `loss`, with room for the weights of the `classes` if there is a `weighting`.

    Raises:
        UserError: it takes no weights, or has some already; the classes have no names.
    """
    if weighting is None:
        return loss
    option, name = f"--model.class_weights {weighting}", type(loss).__name__
    if not isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss | nn.MultiMarginLoss):
        raise UserError(f"{option}: {name} has no weight for each class, take torch.nn.CrossEntropyLoss")
    if loss.weight is not None:
        raise UserError(f"{option}: {name} is given its weight already, leave one of them out")
    if not classes:
        raise UserError(f"{option} needs the model's class_names: ImageClassifier.for_data(net, data) takes them over")
    loss.register_buffer("weight", torch.ones(classes))
    return loss


def weights_of(counts: Tensor, weighting: Weighting, class_names: Sequence[str]) -> Tensor:
    """A weight for each class `(K,)`, of `counts` `(K,)` of images: "balanced", as much as another class has of all
    images together, or "effective", after Cui et al., "Class-balanced loss based on effective number of samples"
    (2019), section 3, which weighs classes alike that have thousands. A mean image weighs 1.

    Raises:
        UserError: a class has no image.
    """
    if missing := [class_names[label] for label in (counts == 0).nonzero().flatten().tolist()]:
        raise UserError(
            f"--model.class_weights {weighting}: no image to train on shows {missing[0]}: leave the option out"
        )
    numbers = counts.double()
    each = 1 / (numbers if weighting == "balanced" else 1 - OVERLAP**numbers)
    return (each * numbers.sum() / (each * numbers).sum()).float()
