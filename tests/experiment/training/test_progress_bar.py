import io
import re
import time
from typing import Any

import pytest
import rich
from rich.console import Console

from classifiers.callbacks import ProgressBar
from tests.small_models import small, synthetic, trained

EPOCH = r"epoch {}/2   train loss \d\.\d{{4}} acc \d\d\.\d\d%   val loss \d\.\d{{4}} acc \d\d\.\d\d%   \d+\.\d s"


def printed_by_a_fit(monkeypatch: pytest.MonkeyPatch, terminal: bool, **trainer: Any) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    monkeypatch.setattr(rich, "get_console", lambda: console)
    data = synthetic(batch_size=64)
    trained(small(data), data, callbacks=[ProgressBar(refresh_rate=10_000)], enable_progress_bar=True, **trainer)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_without_a_terminal_there_is_a_line_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed_by_a_fit(monkeypatch, terminal=False).splitlines()
    assert len(lines) == 2
    for number, line in enumerate(lines, start=1):
        assert re.fullmatch(EPOCH.format(number), line)


def test_a_terminal_shows_a_bar_too(monkeypatch: pytest.MonkeyPatch) -> None:
    text = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", printed_by_a_fit(monkeypatch, terminal=True))
    bar = r"epoch 2 \S+\s*100% loss \d\.\d{4} acc \d\d\.\d\d%  [\d,]+ images/s  0:00:00 left"
    assert len(re.findall(bar, text)) == 1
    assert "validation" in text
    assert re.search(EPOCH.format(2), text)


def test_before_the_first_step_nobody_knows_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed_by_a_fit(monkeypatch, terminal=True, accumulate_grad_batches=4)
    first, *_ = re.findall(r"images/s  (\S*)", text)
    assert re.fullmatch(r"(\x1b\[\d*\w)*", first)
    assert "0:00:00 left" in text


def test_the_bar_moves_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1, 100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    bar = ProgressBar(refresh_rate=0.1)
    monkeypatch.setattr(type(bar._progress.console), "is_terminal", True)
    assert [bar._due() for _ in range(25)] == [True, *[False] * 9, True, *[False] * 9, True, *[False] * 4]
