"""Importing the package changes nothing of what other code in the process relies on."""

import subprocess
import sys

CODE = """
import logging, signal, warnings
import lightning.pytorch.cli, matplotlib.figure, tensorboard.compat, torchmetrics.classification, torchvision
from jsonargparse._common import parsing_settings
from jsonargparse._loaders_dumpers import loaders
from jsonargparse.typing import registered_type_handlers
from PIL import Image

def state():
    levels = {name: logging.getLogger(name).level for name in ("lightning.pytorch", "lightning.fabric")}
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    return [*warnings.filters], dict(parsing_settings), dict(loaders), [*registered_type_handlers], levels, handlers

before = state()
import classifiers, classifiers.cli
assert state() == before, [pair for pair in zip(before, state()) if pair[0] != pair[1]]
"""


def test_an_import_changes_nothing_global() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
