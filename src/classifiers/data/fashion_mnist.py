"""Fashion-MNIST: 70,000 grey 28 × 28 pictures of clothes in ten classes (Xiao, Rasul and Vollgraf, 2017)."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import FashionMNIST

from classifiers.data.image_data_module import ImageDataModule
from classifiers.data.official_files import ensure_files
from classifiers.data.sources import debian_package, folder_of_gz, web_folder_of_gz

SYSTEM_FOLDER = "/usr/share/datasets/fashion-mnist"  # where Debian's package installs it
MD5S = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


class FashionMNISTDataModule(ImageDataModule):
    """The official 60,000 training and 10,000 test images, `(1, 28, 28)`, kept as `root/FashionMNIST/raw/*-ubyte`."""

    in_channels = 1
    image_size = 28
    class_names = tuple(FashionMNIST.classes)
    mean = (0.2860,)  # of the 60,000 training images in [0, 1]
    std = (0.3530,)

    def prepare_data(self) -> None:
        """Get the official files that are missing or damaged; UserError if no source has them."""
        sources = [
            folder_of_gz(Path(SYSTEM_FOLDER)),
            *(web_folder_of_gz(url) for url in FashionMNIST.mirrors),
            debian_package("dataset-fashion-mnist", SYSTEM_FOLDER),
        ]
        by_hand = "By hand: put the four unpacked files there, or train on --data SyntheticDataModule"
        ensure_files(self._folder, MD5S, sources, by_hand)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        part = "train" if train else "t10k"
        images = self._read(f"{part}-images-idx3-ubyte", header=16)
        labels = self._read(f"{part}-labels-idx1-ubyte", header=8)
        return images.view(-1, 1, 28, 28), labels.long()

    @property
    def _folder(self) -> Path:
        return self.root / "FashionMNIST" / "raw"

    def _read(self, name: str, header: int) -> Tensor:
        return torch.from_numpy(np.fromfile(self._folder / name, dtype=np.uint8, offset=header))
