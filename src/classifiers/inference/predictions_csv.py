"""Predictions as a CSV file."""

import codecs
import csv
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from classifiers.experiment.errors import UserError
from classifiers.experiment.files import output_file
from classifiers.experiment.terminal import printable, say


class PredictionsCSV:
    """Writes predictions to `file`, a row each: what is predicted, its class, and the probabilities of all classes."""

    def __init__(self, file: BinaryIO, what: str, class_names: Sequence[str]) -> None:
        self.class_names = class_names
        self._writer = csv.writer(codecs.getwriter("utf-8")(file, "surrogateescape"))
        self._writer.writerow([what, "class", *class_names])

    def write(self, what: Any, probabilities: Tensor) -> None:
        """Write a row of probabilities `(K,)`."""
        name = self.class_names[int(probabilities.argmax())]
        self._writer.writerow([what, name, *(f"{value:.6g}" for value in probabilities.tolist())])


def write_predictions(path: Path, trainer: Trainer, class_names: Sequence[str], **predict: Any) -> None:
    """Let `trainer` predict, and write a row for each image to `path`, in their order.

    Raises:
        UserError: there is nothing to write, or it can't be written. Nothing is written then.
    """
    with output_file(path, "another --predictions") if trainer.is_global_zero else nullcontext() as file:
        batches = trainer.predict(**predict)
        if not batches:
            reasons = "--return_predictions or --trainer.limit_predict_batches"
            raise UserError(f"--predictions: {reasons} leaves none to write")
        probabilities = gathered(batches)
        if file:
            table = PredictionsCSV(file, "index", class_names)
            for index, row in enumerate(probabilities):
                table.write(index, row)
    say(f"{len(probabilities):,} predictions are in {printable(str(path))}")


def gathered(batches: Sequence[Any]) -> Tensor:
    """All rows `(N, K)` in order, of which each of n processes has every n-th in its `batches` `(B, K)`."""
    share = torch.cat(list(batches))
    if not torch.distributed.is_initialized():
        return share
    shares = [share] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(shares, share)
    return torch.stack([row for turn in zip_longest(*shares) for row in turn if row is not None])
