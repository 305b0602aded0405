"""The five tutorials as their readers write them: torchvision's data set, transforms an image at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import CIFAR10, FashionMNIST

from benchmarks.clock import Clock

UNIT = transforms.ToTensor()
CENTRED = transforms.Compose([UNIT, transforms.Normalize((0.5,), (0.5,))])


def sequential(channels: Sequence[int], features: Sequence[int]) -> nn.Module:
    """Convolutions between the channels, then linear layers between the features."""
    blocks = [(nn.Conv2d(*pair, 5), nn.ReLU(), nn.MaxPool2d(2)) for pair in pairwise(channels)]
    layers = [(nn.Linear(*pair), nn.ReLU()) for pair in pairwise(features)]
    return nn.Sequential(*chain(*blocks), nn.Flatten(), *chain(*layers))[:-1]


def one_hot(label: int) -> Tensor:
    return torch.zeros(10).scatter_(0, torch.tensor(label), value=1)


@dataclass(frozen=True)
class Recipe:
    """One tutorial: `net` and `optimizer` make theirs; the rest are arguments of the data set and its loader."""

    dataset: type
    net: Callable[[], nn.Module]
    optimizer: Callable[[Any], Optimizer]
    batch_size: int
    epochs: int
    transform: Callable[[Any], Tensor] = UNIT
    target_transform: Callable[[int], Tensor] | None = None
    shuffle: bool = False
    num_workers: int = 0
    print_every: int = 100

    def loader(self, root: Path, train: bool) -> DataLoader[Any]:
        data = self.dataset(root, train, transform=self.transform, target_transform=self.target_transform)
        return DataLoader(data, self.batch_size, shuffle=self.shuffle and train, num_workers=self.num_workers)


LENET = partial(sequential, (1, 6, 16), (256, 120, 84, 10))
RGB_LENET = partial(sequential, (3, 6, 16), (400, 120, 84, 10))
SMALL_LENET = partial(sequential, (1, 6, 12), (192, 120, 60, 10))
MLP = partial(sequential, (), (784, 512, 512, 10))
MOMENTUM = partial(SGD, lr=0.001, momentum=0.9)
RECIPES = {
    "garment": Recipe(FashionMNIST, LENET, MOMENTUM, 4, 5, CENTRED, shuffle=True, print_every=1000),
    "lenet_cifar10": Recipe(CIFAR10, RGB_LENET, MOMENTUM, 4, 2, CENTRED, shuffle=True, num_workers=2, print_every=2000),
    "mlp": Recipe(FashionMNIST, MLP, partial(SGD, lr=0.001), 64, 10),
    "mlp_one_hot": Recipe(FashionMNIST, MLP, MOMENTUM, 10, 5, target_transform=one_hot, print_every=1000),
    "pipeline": Recipe(FashionMNIST, SMALL_LENET, partial(Adam, lr=0.01), 100, 10),
}


def plain(clock: Clock, name: str, root: str, seed: str = "0") -> None:
    """Train and test a recipe by the tutorials' own loops; the loss is printed now and then."""
    torch.manual_seed(int(seed))
    recipe = RECIPES[name]
    device = torch.accelerator.current_accelerator() or "cpu"  # as they choose it, and a fit does
    batches, test_batches = (recipe.loader(Path(root), train) for train in (True, False))
    net = recipe.net().to(device)
    optimizer = recipe.optimizer(net.parameters())
    clock.start()
    for _ in range(recipe.epochs):
        net.train()
        running = 0.0
        for step, (images, labels) in enumerate(batches, 1):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            running += loss.item()
            if step % recipe.print_every == 0:
                print(f"step {step} loss {running / recipe.print_every:.3f}", flush=True)
                running = 0.0
            clock.step()
        clock.epoch(_accuracy(net, test_batches, device))
    clock.write()


@torch.no_grad()
def _accuracy(net: nn.Module, batches: DataLoader[Any], device: torch.device | str) -> float:
    net.eval()
    correct = 0
    for images, labels in batches:
        classes = labels.argmax(1) if labels.ndim == 2 else labels
        correct += (net(images.to(device)).argmax(1) == classes.to(device)).sum().item()
    return correct / len(batches.dataset)
