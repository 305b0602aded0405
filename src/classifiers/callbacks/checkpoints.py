"""The two checkpoints of a run: the best validated state, and the truly last one."""

from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint


class RunCheckpoint(ModelCheckpoint):
    """One file of a run folder. A fit that goes on in a new folder starts with no best there."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        pass


class BestCheckpoint(RunCheckpoint):
    """Rewrites `best.ckpt` whenever `monitor` improves.

    Args:
        monitor: the metric that decides.
        mode: whether less or more of it is better.
    """

    def __init__(self, monitor: str = "val/acc", mode: str = "max") -> None:
        super().__init__(filename="best", monitor=monitor, mode=mode)


class LastCheckpoint(RunCheckpoint):
    """Rewrites `last.ckpt` after every epoch, whether validation improved or not.

    Lightning's own `save_last` only follows the saves of the monitored checkpoint.
    """

    def __init__(self) -> None:
        super().__init__(filename="last")
