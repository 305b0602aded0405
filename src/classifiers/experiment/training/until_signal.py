"""Work on one thing after another, which Ctrl-C and SIGTERM end between two of them."""

from collections.abc import Generator, Iterator
from types import FrameType
from typing import Any, Generic, Self, TypeVar

from classifiers.experiment.training.stop_on_signal import SIGNALS, exit_at_once, handled, restore

Item = TypeVar("Item")
END: Any = object()


class UntilSignal(Generic[Item]):
    """Yields what `items` do until a signal is `received`, which ends the wait for the next one at once.

    What is done with an item, and what follows the last one within this context, isn't disturbed; but by the second
    signal, which ends the program at once.
    """

    def __init__(self, items: Generator[Item, None, None]) -> None:
        self.received: int | None = None
        self._items, self._waiting = items, False

    def __enter__(self) -> Self:
        self._handlers = handled(SIGNALS, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        self._items.close()
        restore(self._handlers)

    def __iter__(self) -> Iterator[Item]:
        while self.received is None:
            try:
                item = self._next()
            except _Stop:
                return
            if item is END:
                return
            yield item

    def _next(self) -> Item:
        self._waiting = True
        item = next(self._items, END)
        self._waiting = False
        return item

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            exit_at_once(number)
        self.received = number
        if self._waiting:
            self._waiting = False
            raise _Stop


class _Stop(BaseException):
    """A signal came while the next item was awaited."""
