"""The loops that are compared, each run in a process of its own: python -m benchmarks.loops LOOP OUT STEPS …"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from lightning.pytorch import Trainer

from benchmarks.clock import Clock, ClockCallback
from benchmarks.plain import PlainLoop
from classifiers.callbacks import WhitenFirstConvolution
from classifiers.cli import ClassifierCLI


def plain(clock: Clock, recipe: str, root: str, seed: str = "0") -> None:
    """A tutorial as its reader writes it."""
    torch.manual_seed(int(seed))
    loop = PlainLoop(recipe, Path(root))
    clock.start()
    for _ in range(loop.recipe.epochs):
        for _ in loop.steps():
            clock.step()
        clock.epoch(loop.test())
    clock.write()


class BareLoop(ClassifierCLI):
    """A fit's own loader, net and optimiser under the shortest loop that trains them."""

    clock: Clock

    def _run_subcommand(self, subcommand: str) -> None:
        data, model = self.datamodule, self.model
        data.prepare_data()
        data.setup("fit")
        for callback in _whitening(self):
            callback.setup(SimpleNamespace(datamodule=data), model, "fit")
        optimizer = model.optimizer([parameter for parameter in model.parameters() if parameter.requires_grad])
        model.train()
        self.clock.start()
        while True:
            for images, targets in data.train_dataloader():
                loss = model.loss(model(data.augment(images)), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                self.clock.step()


class Barebones(ClassifierCLI):
    """A fit's own parts under Lightning's `Trainer(barebones=True)`."""

    clock: Clock

    def _run_subcommand(self, subcommand: str) -> None:
        callbacks = [*_whitening(self), ClockCallback(self.clock.out, self.clock.limit)]
        trainer = Trainer(barebones=True, max_epochs=10, accelerator="cpu", callbacks=callbacks)
        trainer.fit(self.model, datamodule=self.datamodule)


def _whitening(cli: ClassifierCLI) -> list[Any]:
    """Without it, a net would train a layer more than the fit's."""
    return [callback for callback in cli.trainer.callbacks if isinstance(callback, WhitenFirstConvolution)]


def main(loop: str, out: str, steps: str, *arguments: str) -> None:
    clock = Clock(Path(out), int(steps) or None)
    if loop == "plain":
        plain(clock, *arguments)
    else:
        kind = {"bare": BareLoop, "barebones": Barebones}[loop]
        kind.clock = clock
        kind(["fit", *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
