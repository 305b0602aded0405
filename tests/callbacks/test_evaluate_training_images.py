import csv
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional as F  # noqa: N812

from classifiers import ImageClassifier, SyntheticDataModule
from tests.conftest import Cli


def test_it_counts_the_training_images_with_the_finished_net(fit: Cli) -> None:
    folder = fit("--trainer.callbacks+=EvaluateTrainingImages", "--data.one_hot=true")
    model = ImageClassifier.load_from_checkpoint(folder / "checkpoints/last.ckpt", weights_only=True).eval()
    data = SyntheticDataModule(4, image_size=16, train_size=400, test_size=130)
    data.setup("fit")
    images, labels = data.train_set.__getitems__(list(range(360)))
    with torch.inference_mode():
        logits = model(images)
    with (folder / "metrics.csv").open(newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if row["train/eval_acc"]]
    assert float(row["train/eval_acc"]) == pytest.approx((logits.argmax(1) == labels).double().mean().item(), abs=1e-7)
    assert float(row["train/eval_loss"]) == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
    assert row["step"] == "11"


def test_it_lists_its_mistakes(fit: Cli) -> None:
    folder = fit("--trainer.callbacks+=EvaluateTrainingImages", "--trainer.callbacks.mistakes=true")
    model = ImageClassifier.load_from_checkpoint(folder / "checkpoints/last.ckpt", weights_only=True).eval()
    data = SyntheticDataModule(4, image_size=16, train_size=400, test_size=130)
    data.setup("fit")
    images, labels = data.train_set.__getitems__(list(range(360)))
    with torch.inference_mode():
        sure, predicted = model(images).softmax(1).max(1)
    wrong = sorted((predicted != labels).nonzero().flatten().tolist(), key=lambda place: -sure[place])
    with (folder / "train_mistakes.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert [int(row["index"]) for row in rows] == wrong
    assert [row["predicted"] for row in rows] == [data.class_names[predicted[place]] for place in wrong]
    assert [row["true"] for row in rows] == [data.class_names[labels[place]] for place in wrong]


@pytest.mark.parametrize("limit", ["4", "0"])
def test_a_file_in_the_wrong_folder_is_named_first(limit: str, fit: Cli, tmp_path: Path) -> None:
    for shade, kind in ((20, "dark"), (230, "light")):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(30):
            Image.new("L", (16, 16), shade + number % 7).save(tmp_path / f"photos/{kind}/{number}.png")
    for number in range(10, 13):  # one of them at least is not held out
        Image.new("L", (16, 16), 232).save(tmp_path / f"photos/dark/{number}.png")
    folder = fit("--data=ImageFolderDataModule", f"--data.root={tmp_path / 'photos'}", "--data.image_size=16",
                 f"--data.memory_limit={limit}", "--data.cache=false", "--data.num_workers=0", "--data.batch_size=8",
                 "--trainer.max_epochs=6", "--trainer.callbacks+=EvaluateTrainingImages",
                 "--trainer.callbacks.mistakes=true")  # fmt: skip
    with (folder / "train_mistakes.csv").open(newline="") as file:
        first, *_ = csv.DictReader(file)
    assert Path(first["file"]).relative_to(tmp_path / "photos/dark").stem in ("10", "11", "12")
    assert (first["true"], first["predicted"]) == ("dark", "light")
