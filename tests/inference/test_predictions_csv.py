import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from classifiers import ImageFolderDataModule, SyntheticDataModule
from classifiers.data.image_files import read_image
from classifiers.inference.predictions_csv import PredictionsCSV, columns_of, gathered
from tests.photos import write_photos
from tests.small_models import synthetic


def test_the_shares_of_processes_are_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.arange(10.0).view(5, 2)
    assert torch.equal(gathered([rows[:3], rows[3:]]), rows)

    def all_gather_object(shares: list[Tensor], share: Tensor) -> None:
        assert torch.equal(share, rows[0::2])
        shares[:] = [share, rows[1::2]]

    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    monkeypatch.setattr("torch.distributed.all_gather_object", all_gather_object)
    assert torch.equal(gathered([rows[0:4:2], rows[4:]]), rows)


def test_predictions_are_rows_of_text() -> None:
    file = io.BytesIO()
    table = PredictionsCSV(file, ["file", "true"], ["cat", "dog, or wolf"])
    table.write([Path("a\udcff.png"), "cat"], torch.tensor([0.25, 0.75]))
    table.write([7, "dog, or wolf"], torch.from_numpy(np.array([1 - 1e-9, 1e-9])))
    assert file.getvalue() == (
        b'file,true,class,cat,"dog, or wolf"\r\n'
        b'a\xff.png,cat,"dog, or wolf",0.25,0.75\r\n'
        b'7,"dog, or wolf",cat,1,1e-09\r\n'
    )


@pytest.mark.parametrize("one_hot", [False, True])
def test_the_true_class_is_that_of_the_data(one_hot: bool) -> None:
    data = synthetic(one_hot=one_hot)
    data.setup("predict")
    columns = columns_of(data, 9)
    assert [*columns] == ["index", "true"]
    assert list(columns["index"]) == list(range(9))
    assert columns["true"] == [f"pattern {label}" for label in synthetic().load(train=False)[1][:9].tolist()]


@pytest.mark.parametrize("memory_limit", [4.0, 0.0])
def test_of_files_the_path_is_told(memory_limit: float, tmp_path: Path) -> None:
    data = ImageFolderDataModule(
        write_photos(tmp_path / "photos", 20), image_size=8, memory_limit=memory_limit, cache=False
    )
    data.setup("predict")
    columns = columns_of(data, len(data.test_set))
    assert [*columns] == ["file", "true"]
    assert [Path(path).parent.name for path in columns["file"]] == columns["true"]
    assert sorted({*columns["true"]}) == ["dark", "light"]
    for path, (image, _) in zip(columns["file"], data.test_set, strict=False):
        assert torch.equal(image, read_image(path, data.image_shape))


class OthersDataModule(SyntheticDataModule):
    def predict_dataloader(self) -> Any:
        return self.val_dataloader()


def test_nothing_is_told_of_images_that_a_subclass_chooses() -> None:
    data = OthersDataModule()
    data.setup("predict")
    assert columns_of(data, 3) == {"index": range(3)}
