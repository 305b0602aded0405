"""What finders don't tell."""

from lightning.pytorch.callbacks import BatchSizeFinder


def batch_size_name(finder: BatchSizeFinder) -> str:
    """The attribute that it sets."""
    return finder._batch_arg_name
