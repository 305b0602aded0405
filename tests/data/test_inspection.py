import pytest
import torch

from classifiers.data import SyntheticDataModule
from classifiers.data.inspection import inspect_data


@pytest.mark.parametrize("one_hot", [False, True])
def test_it_counts_and_computes_over_the_images(one_hot: bool) -> None:
    data = SyntheticDataModule(
        3, in_channels=2, image_size=8, train_size=90, test_size=30, val_size=20, one_hot=one_hot
    )
    data.setup("fit")
    data.setup("test")
    found = inspect_data(data)
    images, labels = data.load(train=True)
    train, val = data.split(90)
    assert found.sizes == {"train": 70, "val": 20, "test": 30}
    assert found.per_class["train"] == labels[train].bincount(minlength=3).tolist()
    assert found.per_class["val"] == labels[val].bincount(minlength=3).tolist()
    assert sum(found.per_class["test"]) == 30
    assert found.mean == pytest.approx((images.double() / 255).mean((0, 2, 3)).tolist())
    assert found.std == pytest.approx(
        torch.stack([image.double().std() / 255 for image in images.movedim(1, 0)]).tolist()
    )
