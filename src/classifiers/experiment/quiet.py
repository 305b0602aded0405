"""What libraries tell by themselves: what was asked for, and none of the rest."""

import contextlib
import logging
import os
import threading
import warnings
from collections.abc import Iterator

from classifiers.experiment.terminal import is_full_disk, say

ASKED = ("early_stopping", "finetuning", "model_checkpoint", "model_summary", "pruning", "timer")  # to say something
TELLING = ("lightning.pytorch.utilities.rank_zero", *(f"lightning.pytorch.callbacks.{name}" for name in ASKED))
LEVELS = {
    "lightning.pytorch": logging.WARNING,
    "lightning.fabric": logging.WARNING,
    "lightning.pytorch.profilers": logging.INFO,  # their tables
    **dict.fromkeys(TELLING, logging.INFO),
}
ADVICE = (
    "LeafSpec",  # a deprecation within Lightning
    "smaller than the logging interval",
    "requested to overfit",
    "barebones=True",
    "GPU available but not used",  # where the CPU was asked for
    r"fit.ckpt_path=.* (was called without a|is set, but there is no last) ",  # where OnExceptionCheckpoint is
    "is not supported by the model summary",
    "add_custom_scalars|jit",
    "Glyph .* missing from font",  # the name of a class, of which a figure shows boxes
    "your dataloader is not resumable",  # it is not the DataLoader that resumes here
    "does not have many workers",  # a batch that is one index into a tensor is faster without them
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' notes and advice from the terminal. Their warnings of real trouble stay, and, as lines above
    a progress bar, what callbacks tell that are to be `verbose` or to sum up the model.

    Of a full disk, whoever waits for what a thread writes tells in one line.
    """
    before = {name: logging.getLogger(name).level for name in LEVELS}
    hook = threading.excepthook
    in_a_job = "SLURM_JOB_ID" in os.environ
    with warnings.catch_warnings():
        for part in ADVICE if in_a_job else (*ADVICE, "`srun` command is available"):
            warnings.filterwarnings("ignore", message=f".*({part})")
        try:
            threading.excepthook = lambda args: None if is_full_disk(args.exc_value) else hook(args)
            for name, level in LEVELS.items():
                logging.getLogger(name).setLevel(level)
            for name in TELLING:
                logging.getLogger(name).addFilter(_tell)
            yield
        finally:
            threading.excepthook = hook
            for name in TELLING:
                logging.getLogger(name).removeFilter(_tell)
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)


def _tell(record: logging.LogRecord) -> bool:
    """Whether Lightning is to tell it; what was asked for is told here."""
    if record.levelno == logging.INFO and record.module in ASKED:
        say(record.getMessage().strip())
    return record.levelno > logging.INFO
