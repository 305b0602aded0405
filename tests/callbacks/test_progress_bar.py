from unittest.mock import Mock

import pytest
from lightning.pytorch.callbacks import RichProgressBar

from classifiers.callbacks import ProgressBar


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Mock:
    drawn = Mock()
    monkeypatch.setattr(RichProgressBar, "on_train_batch_end", drawn)
    monkeypatch.setattr(ProgressBar, "total_train_batches", 10)
    return drawn


def test_it_moves_only_so_often_and_at_the_end(drawn: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = ProgressBar(refresh_rate=2)
    for batch, seconds in enumerate([0.5, 0.6, 0.9, 1.0, 1.1, 1.2, 1.5, 1.6, 1.7, 1.71]):
        monkeypatch.setattr("time.monotonic", lambda seconds=seconds: seconds)
        bar.on_train_batch_end(None, None, None, None, batch)
    assert [call.args[-1] for call in drawn.call_args_list] == [0, 3, 6, 9]
