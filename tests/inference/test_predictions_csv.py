import io
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from classifiers.inference.predictions_csv import PredictionsCSV, gathered


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
    table = PredictionsCSV(file, "file", ["cat", "dog, or wolf"])
    table.write(Path("a\udcff.png"), torch.tensor([0.25, 0.75]))
    table.write(7, torch.from_numpy(np.array([1 - 1e-9, 1e-9])))
    assert (
        file.getvalue() == b'file,class,cat,"dog, or wolf"\r\na\xff.png,"dog, or wolf",0.25,0.75\r\n7,cat,1,1e-09\r\n'
    )
