import signal
from collections.abc import Generator

import pytest

from classifiers.experiment.training.until_signal import UntilSignal

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def numbers(closed: list[str], number: signal.Signals | None = None) -> Generator[int, None, None]:
    """0, 1 and 2; a signal comes while 1 is made."""
    try:
        for index in range(3):
            if index == 1 and number:
                signal.raise_signal(number)
                closed.append("it went on")
            yield index
    finally:
        closed.append("closed")


def test_without_a_signal_all_items_come() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    closed: list[str] = []
    with UntilSignal(numbers(closed)) as found:
        assert list(found) == [0, 1, 2]
    assert (found.received, closed) == (None, ["closed"])
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_wait_for_an_item_at_once(number: signal.Signals) -> None:
    closed: list[str] = []
    with UntilSignal(numbers(closed, number)) as found:
        assert list(found) == [0]
    assert (found.received, closed) == (number, ["closed"])


@pytest.mark.parametrize("number", SIGNALS)
def test_what_is_done_with_an_item_is_done_whole(number: signal.Signals) -> None:
    closed: list[str] = []
    done = []
    with UntilSignal(numbers(closed)) as found:
        for item in found:
            if item == 1:
                signal.raise_signal(number)
            done.append(item)
        assert closed == []
    assert (done, found.received, closed) == ([0, 1], number, ["closed"])


def test_so_is_what_follows_the_last_item() -> None:
    done = []
    with UntilSignal(numbers([])) as found:
        done += list(found)
        signal.raise_signal(signal.SIGTERM)
        done.append(3)
    assert (done, found.received) == ([0, 1, 2, 3], signal.SIGTERM)


def test_the_second_signal_ends_all_at_once() -> None:
    done = []

    def work() -> None:
        with UntilSignal(numbers([])) as found:
            for item in found:
                signal.raise_signal(signal.SIGINT)
                done.append(item)
                signal.raise_signal(signal.SIGTERM)
                done.append(item)

    with pytest.raises(SystemExit) as exit_info:
        work()
    assert (done, exit_info.value.code) == ([0], 143)
