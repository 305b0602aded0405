"""The layers of a backbone, from the images on."""

from collections.abc import Iterator

from torch import nn
from torch.nn import Parameter

LISTS = (nn.Sequential, nn.ModuleList)


def layers_of(backbone: nn.Module) -> list[list[Parameter]]:
    """Its parameters, layer by layer; a layer is an item of a list of modules, or what stands beside such lists.

    What has vectors alone, as norms have, is of the layer before it, and parameters of no such part, as tokens and
    embeddings of places, are of the first.
    """
    layers: list[list[Parameter]] = []
    for part in _parts(backbone, type(backbone) is nn.Sequential):
        parameters = [*part.parameters()]
        if layers and all(parameter.ndim <= 1 for parameter in parameters):
            layers[-1] += parameters
        else:
            layers.append(parameters)
    known = {parameter for layer in layers for parameter in layer}
    others = [parameter for parameter in backbone.parameters() if parameter not in known]
    return [[*others, *layers[0]], *layers[1:]] if layers else [others]


def _parts(module: nn.Module, items: bool) -> Iterator[nn.Module]:
    """The parts of `module` that are layers; `items` says whether its children are those of a list."""
    for child in module.children():
        inner = type(child) in LISTS
        if inner or (not items and any(type(part) in LISTS for part in child.modules())):
            yield from _parts(child, inner)
        elif any(True for _ in child.parameters()):
            yield child
