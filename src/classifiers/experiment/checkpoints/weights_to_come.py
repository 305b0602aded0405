"""Whether what is being made gets its weights from a checkpoint, and so needs to fetch none of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_to_come: ContextVar[bool] = ContextVar("_to_come", default=False)


@contextmanager
def weights_to_come(do: bool = True) -> Iterator[None]:
    """While this lasts, they come from a checkpoint if they `do`."""
    before = _to_come.set(do)
    try:
        yield
    finally:
        _to_come.reset(before)


def are_weights_to_come() -> bool:
    return _to_come.get()
