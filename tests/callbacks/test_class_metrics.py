import json

import pytest
import torch

from classifiers import ImageClassifier, SyntheticDataModule
from tests.conftest import Cli


@pytest.mark.parametrize("one_hot", ["true", "false"])
def test_macro_f1_and_calibration_error_are_those_of_the_best_checkpoint(one_hot: str, fit: Cli) -> None:
    folder = fit(f"--data.one_hot={one_hot}")
    model = ImageClassifier.load_from_checkpoint(folder / "checkpoints/best.ckpt", weights_only=True).eval()
    images, labels = SyntheticDataModule(4, image_size=16, train_size=400, test_size=130).load(train=False)
    with torch.inference_mode():
        sure, predicted = model(images).softmax(1).max(1)
    f1 = []
    for label in range(4):
        both = ((predicted == label) & (labels == label)).sum().item()
        f1.append(2 * both / ((predicted == label).sum() + (labels == label).sum()).item())
    right = (predicted == labels).float()
    bins = [(sure * 15).floor() == place for place in range(15)]
    gaps = [(right[which].sum() - sure[which].sum()).abs().item() for which in bins]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test/macro_f1"] == pytest.approx(sum(f1) / 4, abs=1e-6)
    assert metrics["test/ece"] == pytest.approx(sum(gaps) / 130, abs=1e-6)
    assert 0 < metrics["test/ece"] < 0.5 < metrics["test/macro_f1"] < 1
