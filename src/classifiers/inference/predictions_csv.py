"""Predictions as a CSV file."""

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from classifiers.data.loaders import LoaderDataModule
from classifiers.data.origins import origins
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import csv_writer, output_file
from classifiers.experiment.terminal import printable, say
from classifiers.metrics import class_indices


class PredictionsCSV:
    """Writes predictions to `file`, a row each: what is predicted, in columns named `what`, its class, and the
    probabilities of all classes.
    """

    def __init__(self, file: BinaryIO, what: Sequence[str], class_names: Sequence[str]) -> None:
        self.class_names = class_names
        self._writer = csv_writer(file)
        self._writer.writerow([*what, "class", *class_names])

    def write(self, what: Sequence[Any], probabilities: Tensor) -> None:
        """Write a row of probabilities `(K,)`."""
        name = self.class_names[int(probabilities.argmax())]
        self._writer.writerow([*what, name, *(f"{value:.6g}" for value in probabilities.tolist())])


def write_predictions(
    path: Path, trainer: Trainer, class_names: Sequence[str], datamodule: Any, **predict: Any
) -> None:
    """Let `trainer` predict, and write a row for each image to `path`, in their order: its file or else its index, and
    its true class where the data knows it.

    Raises:
        UserError: there is nothing to write, or it can't be written. Nothing is written then.
    """
    with output_file(path, "another --predictions") if trainer.is_global_zero else nullcontext() as file:
        batches = trainer.predict(datamodule=datamodule, **predict)
        if not batches:
            reasons = "--return_predictions or --trainer.limit_predict_batches"
            raise UserError(f"--predictions: {reasons} leaves none to write")
        probabilities = gathered(batches)
        if file:
            columns = columns_of(datamodule, len(probabilities))
            table = PredictionsCSV(file, [*columns], class_names)
            for *what, row in zip(*columns.values(), probabilities, strict=True):
                table.write(what, row)
    say(f"{len(probabilities):,} predictions are in {printable(str(path))}")


def columns_of(data: Any, count: int) -> dict[str, Sequence[Any]]:
    """What is known of the first `count` predicted images: their files, or else their indices, and true classes."""
    if getattr(type(data), "predict_dataloader", None) is not LoaderDataModule.predict_dataloader:
        return {"index": range(count)}
    indices = data.test_set.indices[:count].cpu()
    labels = class_indices(data.test_set.labels[indices])
    what, known = origins(data, "test", count)
    return {what: known, "true": [data.class_names[label] for label in labels.tolist()]}


def gathered(batches: Sequence[Any]) -> Tensor:
    """All rows `(N, K)` in order, of which each of n processes has every n-th in its `batches` `(B, K)`."""
    share = torch.cat(list(batches))
    if not torch.distributed.is_initialized():
        return share
    shares = [share] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(shares, share)
    return torch.stack([row for turn in zip_longest(*shares) for row in turn if row is not None])
