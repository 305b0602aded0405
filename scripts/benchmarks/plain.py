"""The five tutorials as their readers write them: torchvision's data set, transforms an image at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import CIFAR10, FashionMNIST

UNIT = transforms.ToTensor()


def normalised(channels: int) -> transforms.Compose:
    return transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * channels, (0.5,) * channels)])


def lenet(
    in_channels: int, features: int, channels: tuple[int, int] = (6, 16), hidden: tuple[int, int] = (120, 84)
) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels[0], 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels[0], channels[1], 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(features, hidden[0]),
        nn.ReLU(),
        nn.Linear(hidden[0], hidden[1]),
        nn.ReLU(),
        nn.Linear(hidden[1], 10),
    )


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )


def one_hot(label: int) -> Tensor:
    return torch.zeros(10).scatter_(0, torch.tensor(label), value=1)


@dataclass(frozen=True)
class Recipe:
    """One tutorial: `net` and `optimizer` make theirs; the rest are arguments of the data set and its loader."""

    dataset: type
    net: Callable[[], nn.Module]
    optimizer: Callable[[Any], torch.optim.Optimizer]
    batch_size: int
    epochs: int
    transform: Callable[[Any], Tensor] = UNIT
    target_transform: Callable[[int], Tensor] | None = None
    shuffle: bool = False
    num_workers: int = 0
    print_every: int = 100


def sgd(momentum: float) -> Callable[[Any], torch.optim.Optimizer]:
    return lambda parameters: torch.optim.SGD(parameters, lr=0.001, momentum=momentum)


RECIPES = {
    "garment": Recipe(
        FashionMNIST, lambda: lenet(1, 256), sgd(0.9), 4, 5, normalised(1), shuffle=True, print_every=1000
    ),
    "lenet_cifar10": Recipe(
        CIFAR10, lambda: lenet(3, 400), sgd(0.9), 4, 2, normalised(3), shuffle=True, num_workers=2, print_every=2000
    ),
    "mlp": Recipe(FashionMNIST, mlp, sgd(0.0), 64, 10),
    "mlp_one_hot": Recipe(FashionMNIST, mlp, sgd(0.9), 10, 5, target_transform=one_hot, print_every=1000),
    "pipeline": Recipe(
        FashionMNIST,
        lambda: lenet(1, 192, (6, 12), (120, 60)),
        lambda parameters: torch.optim.Adam(parameters, lr=0.01),
        100,
        10,
    ),
}


class PlainLoop:
    """A recipe's data, net and optimiser, trained and tested on the CPU by the tutorials' own loops."""

    def __init__(self, name: str, root: Path) -> None:
        recipe = self.recipe = RECIPES[name]
        kwargs = {"root": root, "transform": recipe.transform, "target_transform": recipe.target_transform}
        self.train_set = recipe.dataset(train=True, **kwargs)
        self.test_set = recipe.dataset(train=False, **kwargs)
        self.net = recipe.net()
        self.optimizer = recipe.optimizer(self.net.parameters())

    def loader(self, train: bool) -> DataLoader[Any]:
        recipe = self.recipe
        data, shuffle = (self.train_set, recipe.shuffle) if train else (self.test_set, False)
        return DataLoader(data, batch_size=recipe.batch_size, shuffle=shuffle, num_workers=recipe.num_workers)

    def steps(self) -> Iterator[int]:
        """Train an epoch, giving the number of each step after it was made; the loss is printed now and then."""
        self.net.train()
        running = 0.0
        for step, (images, labels) in enumerate(self.loader(train=True), 1):
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.net(images), labels)
            loss.backward()
            self.optimizer.step()
            running += loss.item()
            if step % self.recipe.print_every == 0:
                print(f"step {step} loss {running / self.recipe.print_every:.3f}", flush=True)
                running = 0.0
            yield step

    @torch.no_grad()
    def test(self) -> float:
        """The share of the test images that the net classifies right."""
        self.net.eval()
        correct = 0
        for images, labels in self.loader(train=False):
            if labels.ndim == 2:
                labels = labels.argmax(1)
            correct += (self.net(images).argmax(1) == labels).sum().item()
        return correct / len(self.test_set)
