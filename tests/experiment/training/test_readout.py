from typing import Any

import pytest
import torch

from classifiers.experiment.training import readout
from classifiers.experiment.training.readout import Readout


def test_on_a_cpu_values_are_read_at_once() -> None:
    read = Readout()
    assert read({"loss": torch.tensor(0.5), "images": torch.tensor(3), "batches": 2, "score": 0.25}) == {
        "loss": 0.5,
        "images": 3,
        "batches": 2,
        "score": 0.25,
    }


class Copy:
    """Of a device that is slow to come to it."""

    arrived = False

    def query(self) -> bool:
        return self.arrived


def test_of_an_accelerator_the_last_reading_that_has_arrived_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Copy] = []

    def event(device: Any) -> Copy:
        begun.append(Copy())
        return begun[-1]

    monkeypatch.setattr(readout, "event_after", event)
    read = Readout()
    assert read({"loss": torch.tensor(1.0)}) == {}
    assert read({"loss": torch.tensor(2.0)}) == {}
    begun[0].arrived = True
    assert read({"loss": torch.tensor(3.0)}) == {"loss": 1.0}  # as of when its reading was begun
    assert read({"loss": torch.tensor(4.0)}) == {"loss": 1.0}
    assert len(begun) == 2
    begun[1].arrived = True
    assert read({"loss": torch.tensor(5.0)}) == {"loss": 4.0}
