"""A run folder that version 0.1 left, at step 15 of 24, is still of use: `tests/earlier_run`."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from classifiers import SyntheticDataModule, load_classifier
from classifiers.cli import main
from classifiers.experiment.paths import project_root
from classifiers.experiment.runs.history import read_history

EARLIER = project_root() / "tests/earlier_run"
SETTINGS = {"train_size": 400, "test_size": 130, "image_size": 16, "num_classes": 4}
DATA = SyntheticDataModule(**SETTINGS)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EARLIER / "run", tmp_path / "runs/earlier/run"))


def test_it_is_finished_as_if_it_had_never_stopped(run: Path, tmp_path: Path) -> None:
    main(["fit", f"--resume={run}"])
    shutil.copy(EARLIER / "whole.csv", tmp_path / "metrics.csv")
    history, whole = read_history(run), read_history(tmp_path)
    assert len(history) == len(whole)
    for row, expected in zip(history, whole, strict=True):
        assert row == pytest.approx(expected, abs=1e-4)
    assert json.loads((run / "metrics.json").read_text())["test/acc"] == pytest.approx(whole[-1]["test/acc"])
    assert list(run.parent.iterdir()) == [run]


def test_its_best_checkpoint_is_tested(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data=SyntheticDataModule", *(f"--data.{name}={value}" for name, value in SETTINGS.items())]
    main(["test", f"--ckpt_path={run / 'checkpoints/best.ckpt'}", "--trainer.accelerator=cpu", *options])
    (accuracy,) = re.findall(r"test/acc +│ +([\d.]+)", capsys.readouterr().out)
    images, labels = DATA.load(train=False)
    model = load_classifier(run / "checkpoints/best.ckpt", device="cpu")
    with torch.inference_mode():
        correct = sum(int(model(image[None]).argmax() == label) for image, label in zip(images, labels, strict=True))
    assert float(accuracy) * 130 == pytest.approx(correct, abs=1e-3)


def test_it_classifies_a_picture(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(DATA.load(train=False)[0][0, 0].numpy()).save(tmp_path / "picture.png")
    main(["predict-files", str(run / "checkpoints/best.ckpt"), str(tmp_path / "picture.png"), "--device=cpu"])
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r".*picture\.png +(pattern \d +[\d.]+% *){3}", line)


def test_it_is_loaded(run: Path) -> None:
    model = load_classifier(run / "checkpoints/best.ckpt", device="cpu")
    assert list(model.class_names) == [f"pattern {label}" for label in range(4)]
    assert not model.training
