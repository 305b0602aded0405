"""The loops that are compared, each run in a process of its own: python -m benchmarks.loops LOOP OUT STEPS …"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lightning.pytorch import Trainer

from benchmarks.clock import Clock
from benchmarks.plain import plain
from classifiers.callbacks import WhitenFirstConvolution
from classifiers.cli import ClassifierCLI


class Parts(ClassifierCLI):
    """A fit's own loader, net and optimiser, without the fit."""

    def _run_subcommand(self, subcommand: str) -> None:
        pass

    def whitening(self) -> list[Any]:
        """Without it, a net would train a layer more than the fit's."""
        return [callback for callback in self.trainer.callbacks if isinstance(callback, WhitenFirstConvolution)]


def bare(clock: Clock, *options: str) -> None:
    """The shortest loop that trains the parts of a fit."""
    parts = Parts(["fit", *options])
    data, model = parts.datamodule, parts.model
    data.prepare_data()
    data.setup("fit")
    for callback in parts.whitening():
        callback.setup(SimpleNamespace(datamodule=data), model, "fit")
    optimizer = model.optimizer([parameter for parameter in model.parameters() if parameter.requires_grad])
    model.train()
    clock.start()
    while True:
        for images, targets in data.train_dataloader():
            loss = model.loss(model(data.augment(images)), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            clock.step()


def barebones(clock: Clock, *options: str) -> None:
    """Lightning's `Trainer(barebones=True)` over the parts of a fit."""
    parts = Parts(["fit", *options])
    trainer = Trainer(barebones=True, max_epochs=10, accelerator="cpu", callbacks=[*parts.whitening(), clock])
    trainer.fit(parts.model, datamodule=parts.datamodule)


if __name__ == "__main__":
    name, out, steps, *arguments = sys.argv[1:]
    loop = {"plain": plain, "bare": bare, "barebones": barebones}[name]
    loop(Clock(Path(out), int(steps)), *arguments)
