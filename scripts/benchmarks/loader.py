"""Images a second of a training loader, normalisation included: whole batches, and an image at a time through PIL."""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import CIFAR10, FashionMNIST

from benchmarks.measure import Bench, Row
from classifiers import CIFAR10DataModule, FashionMNISTDataModule, ImageClassifier
from classifiers.data import ImageDataModule, RandomCrop, RandomHorizontalFlip

BATCH_SIZE = 128


def loader(bench: Bench) -> Iterator[Row]:
    grey = FashionMNISTDataModule(bench.root, BATCH_SIZE)
    yield _row(bench, "Fashion-MNIST", grey, FashionMNIST, at_least=20)
    colour = CIFAR10DataModule(bench.root, BATCH_SIZE, augmentations=[RandomCrop(), RandomHorizontalFlip()])
    crop_and_flip = [transforms.RandomCrop(32, 4, padding_mode="reflect"), transforms.RandomHorizontalFlip()]
    yield _row(bench, "CIFAR-10, crop + flip", colour, CIFAR10, *crop_and_flip, at_least=10)


def _row(bench: Bench, name: str, data: ImageDataModule, dataset: type, *augmentations: Any, at_least: float) -> Row:
    data.prepare_data()
    data.setup("fit")
    chain = [*augmentations, transforms.ToTensor(), transforms.Normalize(data.mean, data.std)]
    stock = DataLoader(dataset(bench.root, transform=transforms.Compose(chain)), BATCH_SIZE, shuffle=True)
    sides = {
        f"{name}, ours": lambda: images_a_second(_batches(data), 300),
        f"{name}, PIL": lambda: images_a_second(stock, 60),
    }
    ours, theirs = bench.in_turns(sides).values()
    return Row("loader", name, f"{ours:,.0f} images/s", f"{theirs:,.0f} images/s", ours / theirs, at_least)


def _batches(data: ImageDataModule) -> Iterator[Any]:
    """What a net is given of each training batch."""
    model = ImageClassifier(nn.Identity(), mean=data.mean, std=data.std)
    for batch in data.train_dataloader():
        images, labels = data.augment(*batch)
        yield model.normalise(images), labels


def images_a_second(batches: Iterable[Any], count: int) -> float:
    start = time.perf_counter()
    for _ in islice(batches, count):
        pass
    return count * BATCH_SIZE / (time.perf_counter() - start)
