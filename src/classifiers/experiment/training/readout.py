"""Numbers that are on a device, without waiting for it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Readout:
    """Reads tensors `()` by a copy that the device makes when it comes to it."""

    def __init__(self) -> None:
        self._latest: dict[str, Any] = {}
        self._copied: dict[str, Tensor] = {}
        self._arrived: Any = None

    def __call__(self, values: Mapping[str, Tensor | int | float]) -> dict[str, int | float]:
        """The numbers of these `values`; of an accelerator, those of the last reading that has arrived, at first none.

        Its reading is begun, if none is under way.
        """
        if not self._copied:
            tensors = {name: torch.as_tensor(value).detach() for name, value in values.items()}
            self._copied = {name: value.to("cpu", non_blocking=True) for name, value in tensors.items()}
            self._arrived = event_after(next((v.device for v in tensors.values() if v.device.type != "cpu"), None))
        if self._arrived is None or self._arrived.query():
            self._latest = {name: value.tolist() for name, value in self._copied.items()}
            self._copied = {}
        return self._latest


def event_after(device: torch.device | None) -> Any:
    """What tells when `device` has done all that it was given; None of no device."""
    if device is None:
        return None
    event = torch.Event(device)
    event.record()
    return event
