"""What a data set holds, computed from its images rather than quoted."""

from collections import deque
from dataclasses import dataclass

import torch

from classifiers.data import ImageDataModule
from classifiers.data.coverage import counts
from classifiers.data.decoding import pixel_counts
from classifiers.data.file_data_module import FileDataModule
from classifiers.data.findings import Finding, Image, Traits, of_sizes
from classifiers.data.image_dataset import ImageDataset
from classifiers.data.statistics import mean_and_std
from classifiers.data.stream import StreamDataModule
from classifiers.metrics import class_indices


@dataclass(frozen=True)
class Inspection:
    """Sizes of the splits, images per class in each, the channels' mean and standard deviation, and what is odd.

    Mean and standard deviation are in [0, 1], over all images of the official training split.
    """

    sizes: dict[str, int]
    per_class: dict[str, list[int]]
    mean: list[float]
    std: list[float]
    findings: list[Finding]


def inspect_data(data: ImageDataModule) -> Inspection:
    """Look at all images of a data module that is set up for fit and test."""
    splits = {"train": data.train_set, "val": data.val_set, "test": data.test_set}
    training, traits = data.train_set, Traits()
    everything = ImageDataset(training.images, training.labels, torch.arange(len(training.images)))
    mean, std = mean_and_std(traits.noting(data.dataloader(everything)))
    deque(traits.noting(data.dataloader(data.test_set)), maxlen=0)
    distinct = {name: split for name, split in splits.items() if name == "test" or split is not data.test_set}
    images = [image for part, split in distinct.items() for image in _named(data, part, split)]
    first = {"train": 0, "val": 0, "test": len(everything)}
    places = torch.cat([split.indices + first[part] for part, split in distinct.items()])
    findings = [*traits.findings(images, places)]
    if isinstance(data, FileDataModule) and not isinstance(data, StreamDataModule):
        findings += of_sizes(images, pixel_counts([image.name for image in images]))
    return Inspection(
        {name: len(split) for name, split in splits.items()},
        {name: counts(split, data.num_classes).tolist() for name, split in splits.items()},
        mean,
        std,
        findings,
    )


def _named(data: ImageDataModule, part: str, split: ImageDataset) -> list[Image]:
    names = [str(place) for place in split.indices.tolist()]
    if isinstance(data, FileDataModule):
        names = (data.test_paths if part == "test" else data.train_paths)[split.indices.numpy()].tolist()
    labels = class_indices(split.labels[split.indices]).tolist()
    return [Image(part, name, data.class_names[label]) for name, label in zip(names, labels, strict=True)]
