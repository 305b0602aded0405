"""Images in an accelerator's memory, where a batch is one index away."""

import torch
from torch import Tensor

from classifiers.data.image_dataset import ImageDataset
from classifiers.experiment.errors import UserError

SHARE = 0.5  # of an accelerator's free memory that images take unless they are forced to take more


class OnDevice:
    """Puts the images of a fit on the device of this process, those of one tensor once.

    Args:
        device: where the net is.
        wanted: whether they are put there; None means if that is an accelerator and they take at most half of its free
            memory.
    """

    def __init__(self, device: torch.device, wanted: bool | None) -> None:
        self.device, self.wanted = device, wanted
        self._kept: dict[int, tuple[Tensor, Tensor, Tensor]] = {}  # by the id of the first, which is on the host

    def __call__(self, images: ImageDataset, num_workers: int) -> ImageDataset:
        """The same images and labels on the device, or `images` itself.

        Raises:
            UserError: they are wanted there, but are read from files or by worker processes.
        """
        if self.device.type == "cpu" or self.wanted is False:
            return images
        host = images.images
        if not isinstance(host, Tensor) or num_workers:
            if self.wanted:
                why = f"{num_workers} workers serve them" if num_workers else f"{type(host).__name__} reads each batch"
                cure = "leave it out" if not num_workers else "--data.num_workers 0"
                raise UserError(f"--data.on_device true: {why}, so that they aren't in memory as a whole: {cure}")
            return images
        if id(host) not in self._kept:
            if self.wanted is None and host.nbytes > SHARE * free_memory(self.device):
                return images
            self._kept[id(host)] = host, host.to(self.device), images.labels.to(self.device)
        _, kept, labels = self._kept[id(host)]
        return ImageDataset(kept, labels, images.indices.to(self.device), images.classes)

    def __bool__(self) -> bool:
        return bool(self._kept)

    def __str__(self) -> str:
        """What the panel at a fit's start says of it."""
        return f"{sum(kept.nbytes for _, kept, _ in self._kept.values()) / 2**20:,.0f} MiB of them on {self.device}"


def free_memory(device: torch.device) -> int:
    """Bytes that an accelerator has left; 0 where it doesn't say."""
    memory = getattr(torch.get_device_module(device), "mem_get_info", None)
    return int(memory(device)[0]) if memory else 0
