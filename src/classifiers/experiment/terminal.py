"""Plain lines at the terminal, and none of the libraries' own."""

import logging
import os
import warnings

import rich
from lightning.pytorch.utilities import rank_zero_only

ADVICE = (
    "LeafSpec",  # a deprecation within Lightning
    "smaller than the logging interval",
    "requested to overfit",
    "is not supported by the model summary",
    "add_custom_scalars|jit",
)


def quieten() -> None:
    """Keep the libraries' notes and advice from the terminal; their warnings of real trouble stay."""
    for library in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.profilers").setLevel(logging.INFO)  # their tables
    in_a_job = "SLURM_JOB_ID" in os.environ
    for part in ADVICE if in_a_job else (*ADVICE, "`srun` command is available"):
        warnings.filterwarnings("ignore", message=f".*({part})")


@rank_zero_only
def say(text: str) -> None:
    """Print a line, above a progress bar if there is one."""
    rich.get_console().print(text, markup=False, highlight=False, soft_wrap=True)
