"""What a data set holds, computed from its images rather than quoted."""

from dataclasses import dataclass

import torch

from classifiers.data import ImageDataModule
from classifiers.data.coverage import counts
from classifiers.data.image_dataset import ImageDataset
from classifiers.data.statistics import mean_and_std


@dataclass(frozen=True)
class Inspection:
    """Sizes of the splits, images per class in each, and the channels' mean and standard deviation.

    Both are in [0, 1], over all images of the official training split.
    """

    sizes: dict[str, int]
    per_class: dict[str, list[int]]
    mean: list[float]
    std: list[float]


def inspect_data(data: ImageDataModule) -> Inspection:
    """Look at all images of a data module that is set up for fit and test."""
    splits = {"train": data.train_set, "val": data.val_set, "test": data.test_set}
    training = data.train_set
    everything = ImageDataset(training.images, training.labels, torch.arange(len(training.images)))
    mean, std = mean_and_std(images for images, _ in data.dataloader(everything))
    return Inspection(
        {name: len(split) for name, split in splits.items()},
        {name: counts(split, data.num_classes).tolist() for name, split in splits.items()},
        mean,
        std,
    )
