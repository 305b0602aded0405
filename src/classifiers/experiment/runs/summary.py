"""What a finished run came to: `metrics.json` in its folder."""

import json
import platform
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from classifiers.experiment.files import write_whole, writing
from classifiers.experiment.paths import project_root


def summarise(
    config: Any,
    epochs: int,
    seconds: float,
    trained: Mapping[str, float],
    best: Mapping[str, Any] | None,
    tested: Mapping[str, float],
) -> dict[str, Any]:
    """What a fit came to: the last training metrics, and those of the `best` checkpoint, if there is one, on validation
    and test.
    """
    best = best or {"epoch": None, "metrics": trained}
    return {
        "experiment": config.experiment,
        "seed": config.seed_everything,
        "epochs": epochs,
        "best_epoch": best["epoch"],
        "seconds": round(seconds, 1),
        **{name: value for name, value in trained.items() if name.startswith("train")},
        **{name: value for name, value in best["metrics"].items() if name.startswith("val")},
        **tested,
    }


def best_metrics(result: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the best checkpoint in a `result`, beside those of each epoch: `val/best_acc`, `test/best_acc`."""
    named = {re.sub("^(val|test)([/_])", r"\1\2best_", name): value for name, value in result.items()}
    return {name: value for name, value in named.items() if name not in result}


def write_metrics(folder: Path, result: dict[str, Any]) -> None:
    """Write `result`, with the versions and the commit that made it, to `metrics.json` in `folder`."""
    versions = {"python": platform.python_version()}
    for package in ("torch", "torchvision", "lightning", "torchmetrics"):
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    text = json.dumps({**result, "versions": versions, "git_commit": _git_commit()}, indent=2)
    with writing(folder / "metrics.json"):
        write_whole(folder / "metrics.json", text + "\n")


def _git_commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
