"""What data modules have in common that hold out an equal share of each class."""

from abc import ABC

import torch
from torch import Tensor

from classifiers.data.image_data_module import ImageDataModule
from classifiers.data.image_dataset import Images
from classifiers.data.statistics import mean_and_std

SAMPLE = 5000  # images from which mean and std are computed where not all are looked at


class StratifiedDataModule(ImageDataModule, ABC):
    """Has its images to train on first, and those to validate on behind them, as a subclass has ordered them."""

    _train_size: int

    def split(self, size: int) -> tuple[Tensor, Tensor]:
        if self.validate_on_test:
            return super().split(size)
        return torch.arange(self._train_size), torch.arange(self._train_size, size)

    def _take_statistics(self, images: Images, sample: int, mean: list[float] | None, std: list[float] | None) -> None:
        """The `mean` and `std` that are given, or else those of the first `sample` images, a std of 0 as 1."""
        chunks = torch.split(torch.arange(min(sample, len(images))), 1000)
        computed = mean_and_std(images[index] for index in chunks)
        self.mean, self.std = mean or computed[0], std or [value or 1.0 for value in computed[1]]
