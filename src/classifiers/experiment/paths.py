"""Where `data/` and `runs/` stand by default: beside the project's `pyproject.toml`, else in the current folder."""

from pathlib import Path


def project_root() -> Path:
    """The folder of the project this package stands in (an editable install or a checkout), else the current folder."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() else Path.cwd()
