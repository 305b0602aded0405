"""The loops that are compared, each run in a process of its own: python -m benchmarks.loops LOOP OUT STEPS …"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.optim import Optimizer

from benchmarks.clock import Clock
from benchmarks.plain import plain
from classifiers.callbacks import WhitenFirstConvolution
from classifiers.cli import ClassifierCLI


class Parts(ClassifierCLI):
    """A fit's own loader, net and optimiser, where the fit has them, without the fit."""

    def _run_subcommand(self, subcommand: str) -> None:
        pass

    def whitening(self) -> list[Any]:
        """Without it, a net would train a layer more than the fit's."""
        return [callback for callback in self.trainer.callbacks if isinstance(callback, WhitenFirstConvolution)]

    def ready(self) -> Optimizer:
        self.datamodule.prepare_data()
        self.datamodule.setup("fit")
        for callback in self.whitening():
            callback.setup(SimpleNamespace(datamodule=self.datamodule), self.model, "fit")
        self.datamodule.trainer = self.trainer  # which tells the loaders its device
        self.model.to(self.trainer.strategy.root_device).train()
        parameters = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        return self.model.optimizer(parameters)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Augmented, without end."""
        while True:
            for images, targets in self.datamodule.train_dataloader():
                yield self.datamodule.augment(images.to(self.model.device), targets.to(self.model.device))

    def loss(self, normalised: Tensor, targets: Tensor) -> Tensor:
        with self.trainer.precision_plugin.forward_context():
            return self.model.loss(self.model.net(normalised), targets)


def bare(clock: Clock, *options: str) -> None:
    """The shortest loop that trains the parts of a fit."""
    parts = Parts(["fit", *options])
    optimizer = parts.ready()
    clock.start()
    for images, targets in parts.batches():
        loss = parts.loss(parts.model.normalise(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        clock.step()


def graphed(clock: Clock, *options: str) -> None:
    """As `bare`, with forward and backward pass as one CUDA graph; short batches are left out."""
    parts = Parts(["fit", *options])
    optimizer = parts.ready()
    images, targets = next(parts.batches())
    normalised = parts.model.normalise(images)
    replay = _graph_of(lambda: parts.loss(normalised, targets).backward(), optimizer)
    clock.start()
    for images, labels in parts.batches():
        if len(images) == len(normalised):
            normalised.copy_(parts.model.normalise(images))
            targets.copy_(labels)
            replay()
            optimizer.step()
            clock.step()


def _graph_of(act: Callable[[], None], optimizer: Optimizer) -> Callable[[], None]:
    """What repeats `act` as a CUDA graph; on a CPU, by itself."""

    def at_once() -> None:
        optimizer.zero_grad()
        act()

    if not torch.cuda.is_available():
        return at_once
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            at_once()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        act()
    return graph.replay


def barebones(clock: Clock, *options: str) -> None:
    """Lightning's `Trainer(barebones=True)` over the parts of a fit."""
    parts = Parts(["fit", *options])
    trainer = Trainer(barebones=True, max_epochs=10, callbacks=[*parts.whitening(), clock])
    trainer.fit(parts.model, datamodule=parts.datamodule)


if __name__ == "__main__":
    name, out, steps, *arguments = sys.argv[1:]
    loop = {"plain": plain, "bare": bare, "graphed": graphed, "barebones": barebones}[name]
    loop(Clock(Path(out), int(steps)), *arguments)
