"""Writing files so that a reader never meets half of one."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write `text` beside `path`, then rename it over `path`."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text)
    partial.replace(path)
