"""Which images those are that a set serves."""

from collections.abc import Sequence
from typing import Any

from classifiers.data.loaders import LoaderDataModule


def origins(data: Any, part: str, count: int) -> tuple[str, Sequence[Any]]:
    """What the first `count` images that `data` serves of the part "train" or "test" are known by: "file" and the paths
    of theirs, or else "index" and their places.
    """
    own = isinstance(data, LoaderDataModule)
    paths = getattr(data, f"{part}_paths", None)
    if not own or paths is None:
        return "index", range(count)
    return "file", paths[getattr(data, f"{part}_set").indices[:count].cpu().numpy()].tolist()
