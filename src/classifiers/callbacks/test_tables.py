"""What a test tells class by class and mistake by mistake, as tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from classifiers.answers import Answered, worst
from classifiers.callbacks.answered_test import AnsweredTest
from classifiers.data.origins import origins
from classifiers.experiment.files import csv_writer, replacing, writing
from classifiers.experiment.runs.event_file import EventFile
from classifiers.figures.style import short

MOST_PAIRS = 1000  # that are listed
WORST = 3  # classes that the end of a fit names


class TestTables(AnsweredTest):
    """Writes into the run folder, after the test: `classes.csv` with the precision, recall and F1 score of each class,
    `confused.csv` with the classes that were taken for others, and `mistakes.csv` with all wrong answers, the surest
    first.
    """

    __test__ = False  # pytest's
    worst = ""  # classes of the test, if there are better ones

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        answered = self.answers.compute()
        if not (trainer.is_global_zero and isinstance(trainer.logger, EventFile)):
            return
        folder, names = Path(trainer.logger.log_dir), self.names(pl_module)
        found = answered.scores(self.classes)
        scores = {name: values.tolist() for name, values in found.items()}
        write_table(folder / "classes.csv", ["class", *scores], zip(names, *scores.values(), strict=True))
        pairs = ((names[true], names[taken], count, count / scores["images"][true])
                 for (true, taken), count in zip(*(some[:MOST_PAIRS].tolist() for some in answered.confused()),
                                                 strict=True))  # fmt: skip
        write_table(folder / "confused.csv", ["true", "predicted", "images", "share"], pairs)
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        write_mistakes(folder / "mistakes.csv", answered, names, *origins(data, "test", len(answered.true)))
        self.worst = worst_classes(found, names)


def worst_classes(scores: Mapping[str, Tensor], names: Sequence[str]) -> str:
    """The classes of the least F1 scores, where there are better ones beside them."""
    order, f1 = worst(scores).tolist(), scores["F1"].tolist()
    differ = len(order) > WORST and f1[order[0]] < f1[order[-1]]
    return "   ".join(f"{short(names[label])} {f1[label]:.3f}" for label in order[:WORST]) if differ else ""


def write_mistakes(path: Path, answered: Answered, names: Sequence[str], what: str, origins: Sequence[Any]) -> None:
    """Write a row for each wrong answer, the surest first; `origins` `(N,)` are "file" or "index" as `what` says."""
    places = answered.surest_mistakes()
    columns = (values[places].tolist() for values in answered)
    rows = (
        (origins[place], names[true], names[predicted], f"{probability:.6g}")
        for place, true, predicted, probability in zip(places.tolist(), *columns, strict=True)
    )
    write_table(path, [what, *Answered._fields], rows)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV file; shares to six digits."""
    with writing(path), replacing(path) as file:
        table = csv_writer(file)
        table.writerow(columns)
        for row in rows:
            table.writerow([f"{value:.6g}" if isinstance(value, float) else value for value in row])
