"""CIFAR-10: 60,000 colour 32 × 32 photographs in ten classes (Krizhevsky, 2009)."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import CIFAR10

from classifiers.data.image_data_module import ImageDataModule
from classifiers.data.official_files import ensure_files
from classifiers.data.sources import web_tar

MD5S = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}


class CIFAR10DataModule(ImageDataModule):
    """The official 50,000 training and 10,000 test images, `(3, 32, 32)`, kept as `root/cifar-10-batches-py/*`."""

    in_channels = 3
    image_size = 32
    class_names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    mean = (0.4914, 0.4822, 0.4465)  # of the 50,000 training images in [0, 1]
    std = (0.2470, 0.2435, 0.2616)

    def prepare_data(self) -> None:
        """Get the official files that are missing or damaged; UserError if no source has them."""
        sources = [web_tar(CIFAR10.url, prefix=f"{CIFAR10.base_folder}/")]
        by_hand = f"By hand: unpack {CIFAR10.filename} in {self.root}, or train on --data SyntheticDataModule"
        ensure_files(self._folder, MD5S, sources, by_hand)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        batches = [self._read(name) for name in MD5S if name.startswith("data_batch" if train else "test_batch")]
        images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        labels = [label for batch in batches for label in batch["labels"]]
        return torch.from_numpy(images), torch.tensor(labels)

    @property
    def _folder(self) -> Path:
        return self.root / str(CIFAR10.base_folder)

    def _read(self, name: str) -> dict[str, Any]:
        with (self._folder / name).open("rb") as file:
            batch: dict[str, Any] = _ArrayUnpickler(file, encoding="latin1").load()
        return batch


class _ArrayUnpickler(pickle.Unpickler):
    """Loads NumPy arrays in plain containers, and refuses everything else that a pickle could name."""

    ALLOWED = frozenset({("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")})

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"a CIFAR-10 file must not name {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
