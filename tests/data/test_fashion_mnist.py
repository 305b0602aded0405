import hashlib
from pathlib import Path

import pytest
import torch
from torchvision.datasets import FashionMNIST

from classifiers.data import FashionMNISTDataModule, fashion_mnist
from classifiers.experiment.errors import UserError
from tests.conftest import REAL_DATA

real = pytest.mark.skipif(
    not (REAL_DATA / "FashionMNIST/raw/train-images-idx3-ubyte").exists(),
    reason="data/ has no Fashion-MNIST: python scripts/fit.py gets it",
)


@pytest.fixture(scope="module")
def data() -> FashionMNISTDataModule:
    data = FashionMNISTDataModule()
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    return data


@real
def test_the_official_images_are_all_there(data: FashionMNISTDataModule) -> None:
    assert data.train_set.images.shape == (60_000, 1, 28, 28)
    assert data.test_set.images.shape == (10_000, 1, 28, 28)
    assert data.train_set.labels.bincount().tolist() == [6000] * 10
    assert data.test_set.labels.bincount().tolist() == [1000] * 10
    assert data.train_set.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]


@real
def test_mean_and_std_are_those_of_the_training_images(data: FashionMNISTDataModule) -> None:
    pixels = data.train_set.images.double() / 255
    assert [round(pixels.mean().item(), 4)] == list(data.mean)
    assert [round(pixels.std().item(), 4)] == list(data.std)


@real
def test_no_test_image_is_trained_or_validated_on(data: FashionMNISTDataModule) -> None:
    assert data.train_set.images is data.val_set.images
    assert data.train_set.images is not data.test_set.images
    assert (len(data.train_set), len(data.val_set), len(data.test_set)) == (54_000, 6_000, 10_000)
    assert not set(data.train_set.indices.tolist()) & set(data.val_set.indices.tolist())


@real
def test_the_test_loader_shows_the_official_order(data: FashionMNISTDataModule) -> None:
    labels = torch.cat([labels for _, labels in data.test_dataloader()])
    file = (data.root / "FashionMNIST/raw/t10k-labels-idx1-ubyte").read_bytes()
    assert hashlib.md5(file).hexdigest() == "15d484375f8d13e6eb1aabb0c3f46965"
    assert labels.tolist() == list(file[8:])


def test_when_every_source_fails_all_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_FOLDER", str(tmp_path / "none"))
    monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError) as error:
        FashionMNISTDataModule(root=tmp_path / "data").prepare_data()
    tried = (
        f"Tried: {tmp_path}/none ([Errno 2] No such file or directory: '{tmp_path}/none/train-images-idx3-ubyte.gz'); "
        "http://127.0.0.1:9/ (<urlopen error [Errno 111] Connection refused>); "
        "Debian's package dataset-fashion-mnist (this system has no apt). "
    )
    assert tried in str(error.value)
    assert str(error.value).endswith("put the four unpacked files there, or train on --data SyntheticDataModule")
    assert not list(tmp_path.rglob("*-ubyte*"))
