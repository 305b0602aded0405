"""What an optimiser is told of each parameter: whether it decays, and at which share of the rate it learns."""

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.nn import Parameter

from classifiers.experiment.errors import UserError
from classifiers.models.layers import layers_of

Shares = dict[Parameter, float]


def parameter_groups(
    parameters: Iterable[Parameter], decay_norms_and_biases: bool, shares: Shares | None = None, lr: float | None = None
) -> list[Any]:
    """Those that are trained; in groups where parameters of one dimension are spared the weight decay, after He et al.,
    "Bag of tricks for image classification with convolutional neural networks" (2018), section 3.1, or where `shares`
    have some learn at a share of the rate `lr`, the fastest first.

    Raises:
        UserError: there are shares of no rate, or of parameters that others will unfreeze, at a rate of their own.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if not shares:
        return trained if decay_norms_and_biases else _by_dimension(trained)
    if lr is None:
        raise UserError("the optimizer has no lr of which a backbone's could be a share: give --model.optimizer.lr")
    if not any(parameter.requires_grad for parameter in shares):
        raise UserError("the backbone is frozen, and gets its rate when that ends: take FrozenBackbone for it")
    by_share: dict[float, list[Parameter]] = {}
    for parameter in trained:
        by_share.setdefault(shares.get(parameter, 1.0), []).append(parameter)
    groups: list[Any] = []
    for share in sorted(by_share, reverse=True):
        some = by_share[share]
        split = [{"params": some}] if decay_norms_and_biases else _by_dimension(some)
        groups += [{**group, "lr": share * lr} for group in split if group["params"]]
    return groups


def shares_of(backbone: nn.Module, scale: float | None, decay: float | None) -> Shares:
    """The share of the rate for each parameter of a backbone: `scale`, and once more `decay` for each layer that is
    nearer to the images, the last one too.

    After Howard and Ruder, "Universal language model fine-tuning for text classification" (2018), section 3.2.

    Raises:
        UserError: one of the two is not positive.
    """
    for name, value in (("backbone_lr_scale", scale), ("layer_lr_decay", decay)):
        if value is not None and value <= 0:
            raise UserError(f"--model.{name} is {value}: it must be more than 0")
    layers = reversed(layers_of(backbone))
    return {
        parameter: (scale or 1.0) * (decay or 1.0) ** depth
        for depth, layer in enumerate(layers, 1)
        for parameter in layer
    }


def _by_dimension(parameters: list[Parameter]) -> list[dict[str, Any]]:
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
