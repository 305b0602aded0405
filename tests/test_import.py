"""Importing the package changes nothing of what other code in the process relies on."""

import os
import subprocess
import sys

import pytest

CODE = """
import logging, os, signal, sys, warnings
import lightning.pytorch.cli, matplotlib.pyplot, tensorboard.summary, torchmetrics.classification, torchvision
from jsonargparse._common import parsing_settings
from jsonargparse._loaders_dumpers import loaders
from jsonargparse.typing import registered_type_handlers
from PIL import Image

def state():
    levels = {name: logging.getLogger(name).level for name in ("lightning.pytorch", "lightning.fabric")}
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    parsing = dict(parsing_settings), dict(loaders), [*registered_type_handlers]
    return [*warnings.filters], parsing, levels, handlers, dict(os.environ), dict(matplotlib.rcParams)

before = state()
import classifiers, classifiers.cli
assert state() == before, [pair for pair in zip(before, state()) if pair[0] != pair[1]]
assert "litdata" not in sys.modules
"""


def test_an_import_changes_nothing_global() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


BACKEND = """
import os, classifiers, matplotlib
print(os.environ["MPLBACKEND"], matplotlib.get_backend(auto_select=False))
"""


@pytest.mark.parametrize(("named", "taken"), [("svg", "svg"), ("inline_elsewhere", "None")])
def test_a_backend_that_is_not_there_is_not_taken(named: str, taken: str) -> None:
    environment = {**os.environ, "MPLBACKEND": named}
    done = subprocess.run([sys.executable, "-c", BACKEND], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{named} {taken}\n"), done.stderr
