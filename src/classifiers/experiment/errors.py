"""What counts as a user's mistake: one clear line, exit code 2. Everything else keeps its traceback."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator

from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch.distributed import DistStoreError

from classifiers.experiment.terminal import is_full_disk, printable


class UserError(Exception):
    """A mistake the user can mend; its message is one line that names the cause and the cure."""

    def __init__(self, message: str) -> None:
        super().__init__(message.rpartition("UserError: ")[2])  # a DataLoader's worker puts its traceback before it

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it."""
        return [f"error: {self}"]


USER_ERRORS = (UserError, MisconfigurationException)
# what Lightning and torch raise bare, some only at the first batch, and what else there is to say of it
BARE = {
    r"Early stopping conditioned on metric": "",
    r"using the learning rate finder, either": "",
    r"`val_check_interval` .* must be less than or equal": "",
    r"to have \d+ channels, but got [1-4] channels": "--model.net is made for other inputs than those of --data: ",
    r"Target \d+ is out of bounds": "the net has fewer outputs than the data has classes: ",
    r"device-side assert triggered": "an index out of range, as of a label that the net has no output for; "
    "--trainer.accelerator cpu tells which: ",
    r"You set .devices=\d+. and .num_nodes=\d+. in Lightning": "--trainer.devices and --trainer.num_nodes: ",
    r"No working C\+\+ compiler|working triton": "--model.compile needs a compiler, install one or leave it out: ",
    r"is not a valid value for reduction": "--model.loss.reduction: ",
    r"weight tensor should be defined": "--model.loss.weight needs a value for each class: ",
    r"SyncBatchNorm layers only work with GPU": "--trainer.sync_batchnorm needs GPUs, leave it out: ",
    r"than 1 value per channel when training": "this net learns from no batch of one, take another --data.batch_size: ",
}
APART = "the processes don't come together ({}): start every rank, with one MASTER_ADDR, MASTER_PORT and WORLD_SIZE"


def told(error: BaseException) -> str | None:
    """The line for a full disk or a user's mistake; None for anything else."""
    if is_full_disk(error) or isinstance(error, USER_ERRORS):
        return one_line(error)
    if isinstance(error, DistStoreError):
        return APART.format(one_line(error))
    return next((cure + one_line(error) for said, cure in BARE.items() if re.search(said, str(error))), None)


def one_line(error: BaseException) -> str:
    """The message of `error` with its line breaks folded."""
    return " ".join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def as_user_errors() -> Iterator[None]:
    """Make a UserError of whatever counts as a user's mistake, be it what caused another error."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and told(cause) is None:
            cause = cause.__cause__  # jsonargparse wraps what a constructor raises
        if cause is None or (cause is error and isinstance(error, UserError)):
            raise
        raise UserError(str(told(cause))) from None


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """End the program with one line and exit code 2 at a user's mistake."""
    try:
        with as_user_errors():
            yield
    except BrokenPipeError:  # whoever read the output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except UserError as error:
        print(f"error: {printable(one_line(error))}", file=sys.stderr)
        sys.exit(2)
