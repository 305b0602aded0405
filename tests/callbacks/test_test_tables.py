import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from classifiers import ImageClassifier, SyntheticDataModule, classify, load_classifier
from classifiers.callbacks.test_tables import worst_classes
from tests.conftest import SMALL, Cli

NAMES = [f"pattern {label}" for label in range(4)]


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return [*csv.reader(file)]


def require_right(folder: Path) -> None:
    """Count all again."""
    model = ImageClassifier.load_from_checkpoint(folder / "checkpoints/best.ckpt", weights_only=True).eval()
    images, labels = SyntheticDataModule(4, image_size=16, train_size=400, test_size=130).load(train=False)
    with torch.inference_mode():
        probabilities, predicted = model(images).softmax(1).max(1)
    found = list(enumerate(zip(labels.tolist(), predicted.tolist(), probabilities.tolist(), strict=True)))
    wrong = sorted((one for one in found if one[1][0] != one[1][1]), key=lambda one: -one[1][2])
    head, *mistakes = rows(folder / "mistakes.csv")
    assert head == ["index", "true", "predicted", "probability"]
    assert [row[:3] for row in mistakes] == [[str(at), NAMES[true], NAMES[took]] for at, (true, took, _) in wrong]
    assert [float(row[3]) for row in mistakes] == pytest.approx([sure for _, (*_, sure) in wrong], rel=1e-5)
    pairs: dict[tuple[str, str], int] = {}
    for _, (true, took, _) in wrong:
        pairs[NAMES[true], NAMES[took]] = pairs.get((NAMES[true], NAMES[took]), 0) + 1
    head, *confused = rows(folder / "confused.csv")
    assert head == ["true", "predicted", "images", "share"]
    assert {(row[0], row[1]): int(row[2]) for row in confused} == pairs
    assert [int(row[2]) for row in confused] == sorted(pairs.values(), reverse=True)
    counts = {NAMES[label]: int((labels == label).sum()) for label in range(4)}
    shares = [int(row[2]) / counts[row[0]] for row in confused]
    assert [float(row[3]) for row in confused] == pytest.approx(shares, rel=1e-5)
    head, *classes = rows(folder / "classes.csv")
    assert head == ["class", "images", "precision", "recall", "F1"]
    for label, (name, count, *scores) in enumerate(classes):
        hits = int(((labels == label) & (predicted == label)).sum())
        taken = int((predicted == label).sum())
        expected = [hits / max(1, taken), hits / counts[name], 2 * hits / (taken + counts[name])]
        assert (name, int(count)) == (NAMES[label], counts[name])
        assert [float(score) for score in scores] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("options", [[], ["--data.one_hot=true", "--data.eval_batch_size=7"]])
def test_they_tell_of_the_test_of_the_best_checkpoint(
    options: list[str], fit: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fit(*options)
    require_right(folder)
    classes = sorted(rows(folder / "classes.csv")[1:], key=lambda row: float(row[4]))
    worst = "   ".join(f"{name} {float(f1):.3f}" for name, *_, f1 in classes[:3])
    assert f"worst F1     {worst} " in capsys.readouterr().out


@pytest.mark.slow
def test_two_processes_tell_of_every_image(tmp_path: Path) -> None:
    two = ["--trainer.devices=2", "--trainer.strategy=ddp", f"--trainer.default_root_dir={tmp_path / 'runs'}"]
    subprocess.run([sys.executable, "-m", "classifiers", "fit", *SMALL, *two], cwd=tmp_path, check=True)
    (folder,) = (tmp_path / "runs").glob("*/*")
    require_right(folder)


@pytest.mark.parametrize("limit", ["4", "0"])
def test_mistakes_name_their_files(limit: str, fit: Cli, tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    for kind in ("grey é", "other"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = torch.randint(256, (16, 16, 3), dtype=torch.uint8, generator=draw)
            Image.fromarray(pixels.numpy()).save(tmp_path / f"photos/{kind}/{number}.png")
    folder = fit("--data=ImageFolderDataModule", f"--data.root={tmp_path / 'photos'}", "--data.test_size=0.5",
                 f"--data.memory_limit={limit}", "--data.cache=false", "--data.image_size=16",
                 "--data.num_workers=0")  # fmt: skip
    head, *mistakes = rows(folder / "mistakes.csv")
    assert head == ["file", "true", "predicted", "probability"]
    assert len(mistakes) >= 3
    model = load_classifier(folder / "checkpoints/best.ckpt", device="cpu")
    for file, true, predicted, probability in mistakes:
        assert Path(file).parent == tmp_path / "photos" / true
        ((_, found),) = classify(model, file)
        assert model.class_names[int(found.argmax())] == predicted != true
        assert found.max().item() == pytest.approx(float(probability), rel=1e-4)


def test_the_worst_classes_are_named_where_there_are_better_ones() -> None:
    def named(*f1: float) -> str:
        return worst_classes({"images": torch.tensor([2] * len(f1)), "F1": torch.tensor(f1)}, "abcd"[: len(f1)])

    assert named(0.9, 0.5, 1.0, 0.25) == "d 0.250   b 0.500   a 0.900"
    assert named(0.5, 0.5, 0.5, 0.5) == named(0.5, 0.4, 0.3) == ""
