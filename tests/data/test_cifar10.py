import pickle
from pathlib import Path

import pytest
import torch

from classifiers.data import CIFAR10DataModule
from tests.conftest import REAL_DATA

real = pytest.mark.skipif(
    not (REAL_DATA / "cifar-10-batches-py/test_batch").exists(),
    reason="data/ has no CIFAR-10: python scripts/fit.py --config configs/cifar10.yaml gets it",
)


@pytest.fixture(scope="module")
def data() -> CIFAR10DataModule:
    data = CIFAR10DataModule()
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    return data


@real
def test_the_official_images_are_all_there(data: CIFAR10DataModule) -> None:
    assert data.train_set.images.shape == (50_000, 3, 32, 32)
    assert data.test_set.images.shape == (10_000, 3, 32, 32)
    assert data.train_set.labels.bincount().tolist() == [5000] * 10
    assert data.test_set.labels.bincount().tolist() == [1000] * 10
    assert [data.class_names[label] for label in data.test_set.labels[:4]] == ["cat", "ship", "ship", "airplane"]


@real
def test_mean_and_std_are_those_of_the_training_images(data: CIFAR10DataModule) -> None:
    pixels = data.train_set.images.double() / 255
    assert [round(value, 4) for value in pixels.mean((0, 2, 3)).tolist()] == list(data.mean)
    assert [round(value, 4) for value in pixels.std((0, 2, 3)).tolist()] == list(data.std)


@real
def test_pixels_are_those_that_torchvision_reads(data: CIFAR10DataModule) -> None:
    from torchvision.datasets import CIFAR10

    theirs = CIFAR10(str(REAL_DATA), train=False)
    assert torch.equal(data.test_set.images, torch.from_numpy(theirs.data).permute(0, 3, 1, 2))
    assert data.test_set.labels.tolist() == theirs.targets


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('this ran')",)


def test_a_file_that_names_code_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "test_batch").write_bytes(pickle.dumps({"data": Hostile(), "labels": []}))
    with pytest.raises(pickle.UnpicklingError, match="a CIFAR-10 file must not name builtins.exec"):
        CIFAR10DataModule(root=tmp_path).load(train=False)
