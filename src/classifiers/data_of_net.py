"""What a net says of the images that it is for, where the data module isn't told otherwise."""

from pkgutil import resolve_name
from typing import Any

from torch import nn

from classifiers.models.net import Net


def leave_to_net(data: Any, net: Any) -> None:
    """Fill those arguments in a config's section `data` that are None with what the net of section `net` is for."""
    kind, data_kind = (_class(part.class_path) for part in (net, data))
    if not issubclass(kind, Net):
        return
    channels = data.init_args.get("in_channels") or data_kind.in_channels
    for name, value in kind.images(**{**net.init_args, "in_channels": channels}).items():
        if name in data.init_args and data.init_args[name] is None:
            data.init_args[name] = value


def of_net(net: nn.Module, data: Any) -> dict[str, Any]:
    """The mean and deviation that a net is for, under their names, unless the data module `data` was given its own."""
    own = net.images(**net.arguments) if isinstance(net, Net) else {}
    given = getattr(data, "arguments", {})
    return {name: own[name] for name in ("mean", "std") if name in own and given.get(name) is None}


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return resolve_name(f"{module}:{name}")
