"""The main job on the real images, start to end, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from classifiers import FashionMNISTDataModule, ImageClassifier
from classifiers.experiment.paths import project_root
from tests.conftest import REAL_DATA


@pytest.mark.slow
@pytest.mark.skipif(not (REAL_DATA / "FashionMNIST").exists(), reason="data/ has no Fashion-MNIST")
def test_the_main_job_reaches_92_percent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    command = [sys.executable, project_root() / "scripts/fit.py", f"--trainer.default_root_dir={tmp_path}"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (folder,) = (tmp_path / "fashion_mnist").iterdir()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test/acc"] >= 0.92

    model = ImageClassifier.load_from_checkpoint(folder / "checkpoints/best.ckpt", weights_only=True).eval()
    images, labels = FashionMNISTDataModule().load(train=False)
    with torch.inference_mode():
        predicted = torch.cat([model(part).argmax(1) for part in images.split(500)])
    assert round(metrics["test/acc"] * 10_000) == (predicted == labels).sum()
