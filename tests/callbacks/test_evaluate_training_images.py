import csv

import pytest
import torch
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
