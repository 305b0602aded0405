"""The two checkpoints of a run: the best validated state, and the truly last one."""

from typing import Any, Literal

from lightning.pytorch.callbacks import ModelCheckpoint


class RunCheckpoint(ModelCheckpoint):
    """One file of a run folder. A fit that goes on in a new folder starts with no best there."""

    @property
    def state_key(self) -> str:
        """Unlike that of the base class, not put together anew in each hook of each step."""
        return type(self).__name__

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        pass


class BestCheckpoint(RunCheckpoint):
    """Rewrites `best.ckpt` whenever `monitor` improves.

    Args:
        monitor: the metric that decides.
        mode: whether less or more of it is better; None means less of a loss, more of anything else.
    """

    def __init__(self, monitor: str = "val/acc", mode: Literal["min", "max"] | None = None) -> None:
        mode = mode or ("min" if monitor.endswith("loss") else "max")
        super().__init__(filename="best", monitor=monitor, mode=mode)


class LastCheckpoint(RunCheckpoint):
    """Rewrites `last.ckpt` after every epoch, whether validation improved or not.

    Lightning's own `save_last` only follows the saves of the monitored checkpoint.
    """

    def __init__(self) -> None:
        super().__init__(filename="last", save_on_train_epoch_end=True)
