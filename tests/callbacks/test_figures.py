import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
import torch
from lightning.pytorch import Trainer
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

import classifiers.callbacks.figures as figures
from classifiers import MLP, ImageClassifier, SyntheticDataModule
from classifiers.callbacks import Figures
from classifiers.cli import main
from classifiers.experiment.runs.event_file import EventFile
from tests.conftest import SMALL, Cli
from tests.small_models import QUIET, synthetic

NAMES = ["confusion", "curves", "mistakes"]
NOTE_AND_FIT = """
import json, sys
import classifiers.callbacks.figures as figures
from classifiers.cli import main

def note(what, drawn):
    def draw(*arguments):
        with open(f"{what}.jsonl", "a") as file:
            first = arguments[0]
            file.write(json.dumps(first.tolist() if what == "counts" else [one[1:] for one in first]) + "\\n")
        return drawn(*arguments)
    return draw

figures.confusion_matrix = note("counts", figures.confusion_matrix)
figures.mistakes_grid = note("mistakes", figures.mistakes_grid)
main(sys.argv[1:])
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each figure was asked to show, by its function's name; none is drawn."""
    calls: dict[str, Any] = {}
    for name in ("confusion_matrix", "learning_curves", "mistakes_grid"):
        monkeypatch.setattr(figures, name, lambda *given, name=name: calls.update({name: given}) or Figure())
    return calls


def drawn(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("figures/*"))


def answers(folder: Path) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The test images, their classes, and the best checkpoint's answers with their probabilities."""
    model = ImageClassifier.load_from_checkpoint(folder / "checkpoints/best.ckpt", weights_only=True).eval()
    images, labels = SyntheticDataModule(4, image_size=16, train_size=400, test_size=130).load(train=False)
    with torch.inference_mode():
        probabilities, predicted = model(images).softmax(1).max(1)
    return images, labels, predicted, probabilities


def counted(labels: Tensor, predicted: Tensor) -> list[list[int]]:
    counts = torch.zeros(4, 4, dtype=torch.int64)
    for label, answer in zip(labels.tolist(), predicted.tolist(), strict=True):
        counts[label, answer] += 1
    return counts.tolist()


def wrong(labels: Tensor, predicted: Tensor, probabilities: Tensor) -> list[tuple[int, int, float]]:
    rows = zip(predicted.tolist(), labels.tolist(), probabilities.tolist(), strict=True)
    return sorted((row for row in rows if row[0] != row[1]), key=lambda row: -row[2])[:20]


@pytest.mark.parametrize("options", [[], ["--data.one_hot=true"]])
def test_they_show_the_test_of_the_best_checkpoint(options: list[str], fit: Cli, asked: dict[str, Any]) -> None:
    folder = fit("--figures=true", "--experiment=shirts", "--seed_everything=3", *options)
    images, labels, predicted, probabilities = answers(folder)
    right = int((labels == predicted).sum())
    counts, scores, names, title = asked["confusion_matrix"]
    assert counts.tolist() == counted(labels, predicted)
    diagonal, rows, columns = counts.diagonal(), counts.sum(1), counts.sum(0)
    assert list(scores) == ["images", "precision", "recall", "F1"]
    assert scores["images"].tolist() == rows.tolist()
    assert scores["precision"].tolist() == pytest.approx((diagonal / columns).tolist())
    assert scores["recall"].tolist() == pytest.approx((diagonal / rows).tolist())
    assert scores["F1"].tolist() == pytest.approx((2 * diagonal / (rows + columns)).tolist())
    assert names == ["pattern 0", "pattern 1", "pattern 2", "pattern 3"]
    assert title == f"shirts, seed 3\n{right / 130:.2%} of 130 test images are right"
    mistakes, names, title = asked["mistakes_grid"]
    assert [one[:2] for one in wrong(labels, predicted, probabilities)] == [one[1:3] for one in mistakes]
    for mistake in mistakes:
        (place,) = (images == mistake.image).flatten(1).all(1).nonzero().flatten().tolist()
        assert (mistake.predicted, mistake.true) == (predicted[place], labels[place])
        assert mistake.probability == pytest.approx(probabilities[place].item())
    assert title == f"shirts, seed 3\n20 of {130 - right} mistakes in 130 test images, the surest first"


def test_augmented_images_are_shown_the_same_ones_each_time(fit: Cli) -> None:
    options = [
        "--figures=true",
        "--trainer.max_epochs=1",
        "--data.augmentations+=MixUp",
        "--data.augmentations+=RandomCrop",
    ]
    one, other = (fit(*options) / "figures/augmented.png" for _ in range(2))
    assert one.read_bytes() == other.read_bytes()
    assert matplotlib.image.imread(one).shape[1] == 1000
    assert (one.parents[1] / "metrics.csv").read_text() == (
        fit(*options, "--figures=false") / "metrics.csv"
    ).read_text()


def test_they_are_in_the_folder_and_in_tensorboard(fit: Cli) -> None:
    folder = fit("--figures=true")
    assert drawn(folder) == NAMES
    for name in NAMES:
        assert matplotlib.image.imread(folder / f"figures/{name}.png").shape[1] == 800
    events = EventAccumulator(str(folder), size_guidance={"images": 0})
    events.Reload()
    assert {f"figures/{name}" for name in NAMES} <= set(events.Tags()["images"])
    assert [image.step for image in events.Images("figures/curves")] == [12]


def test_the_curves_mark_the_best_epoch_of_the_monitor(fit: Cli, asked: dict[str, Any]) -> None:
    sgd = ["--model.optimizer=SGD", "--model.optimizer.lr=0"]
    folder = fit("--figures=true", "--best_checkpoint.monitor=val/loss", "--trainer.max_epochs=3", *sgd)
    history, best, title = asked["learning_curves"]
    content = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)
    assert (
        (best["epoch"], best["val/loss"]) == (content["epoch"], content["metrics"]["val/loss"]) == (0, best["val/loss"])
    )
    assert [row["epoch"] for row in history if "train/epoch_loss" in row] == [0, 1, 2]
    assert title == "default, seed 0"


@pytest.mark.usefixtures("asked")
def test_an_option_switches_them_off(tmp_path: Path) -> None:
    options = [option for option in SMALL if option != "--figures=false"]
    for runs, off in (("with", []), ("without", ["--figures=false"])):
        main(["fit", *options, f"--trainer.default_root_dir={tmp_path / runs}", *off])
    (with_figures,), (without,) = ((tmp_path / runs).glob("*/*") for runs in ("with", "without"))
    assert drawn(with_figures) == NAMES
    assert not (without / "figures").exists()


def test_without_a_test_there_are_curves_only(fit: Cli) -> None:
    assert drawn(fit("--figures=true", "--trainer.limit_test_batches=0")) == ["curves"]


def test_without_validation_there_are_all(fit: Cli) -> None:
    assert drawn(fit("--figures=true", "--trainer.limit_val_batches=0")) == NAMES


@pytest.mark.parametrize("classes", [1, 30])
def test_any_number_of_classes(classes: int, fit: Cli) -> None:
    assert drawn(fit("--figures=true", f"--data.num_classes={classes}", "--trainer.max_epochs=1")) == NAMES


def test_classes_without_a_name_have_a_number(tmp_path: Path, asked: dict[str, Any]) -> None:
    data = synthetic()
    model = ImageClassifier(MLP(1, 16, 6, hidden=[8]), class_names=data.class_names[:3])
    Trainer(**QUIET | {"logger": EventFile(tmp_path)}, callbacks=[Figures("wide")]).test(model, data, verbose=False)
    assert asked["confusion_matrix"][2] == ["pattern 0", "pattern 1", "pattern 2", "3", "4", "5"]


@pytest.mark.slow
def test_two_processes_count_every_image_and_write_once(tmp_path: Path) -> None:
    (tmp_path / "note_and_fit.py").write_text(NOTE_AND_FIT)
    two = ["--trainer.devices=2", "--trainer.strategy=ddp", f"--trainer.default_root_dir={tmp_path / 'runs'}"]
    subprocess.run([sys.executable, "note_and_fit.py", "fit", *SMALL, "--figures=true", *two], cwd=tmp_path, check=True)
    (folder,) = (tmp_path / "runs").glob("*/*")
    _, labels, predicted, probabilities = answers(folder)
    assert json.loads((tmp_path / "counts.jsonl").read_text()) == counted(labels, predicted)
    expected = [pytest.approx(one) for one in wrong(labels, predicted, probabilities)]
    assert json.loads((tmp_path / "mistakes.jsonl").read_text()) == expected
    assert drawn(folder) == NAMES


def test_figures_for_which_there_is_no_room_are_drawn_when_there_is(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["fit", *SMALL, "--figures=true", f"--trainer.default_root_dir={small_disk}"])
    (run,) = small_disk.glob("*/*")
    line = capsys.readouterr().err.splitlines()[-1]
    assert exit_info.value.code == 2
    full = r"\(No space left on device\): make room, then go on with --resume"
    assert re.fullmatch(rf"error: can't write {run}/figures/\w+.png {full}", line)
    subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)
    main(["fit", f"--resume={run}"])
    assert drawn(run) == NAMES
    assert (run / "metrics.json").exists()
