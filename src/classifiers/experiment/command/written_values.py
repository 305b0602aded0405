"""Values of a config that jsonargparse can't write, or not as they were given.

It writes no string where a function could stand too, such as `ModelPruning`'s `l1_unstructured`, so that a saved config
would lack it, and takes no default of a string enumeration, such as `Timer`'s `interval`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import yaml
from jsonargparse import _typehints


@contextmanager
def writable() -> Iterator[None]:
    """While this lasts, strings are written as such."""
    stock: Any = _typehints.serialize_as_import_path
    _typehints.serialize_as_import_path = lambda value: value if isinstance(value, str) else stock(value)
    representers = dict(yaml.SafeDumper.yaml_multi_representers)
    yaml.SafeDumper.add_multi_representer(Enum, lambda dumper, item: dumper.represent_data(item.value))
    try:
        yield
    finally:
        _typehints.serialize_as_import_path = stock
        yaml.SafeDumper.yaml_multi_representers = representers
