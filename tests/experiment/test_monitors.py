import pytest

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from classifiers.experiment.errors import UserError
from classifiers.experiment.monitors import natural_mode, require_mode
from tests.conftest import SMALL, Fails


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [
        ("val/loss", "min"),
        ("train/epoch_loss", "min"),
        ("val/acc", "max"),
        ("val/top5", "max"),
        ("test/macro_f1", "max"),
        ("val/ece", None),
    ],
)
def test_the_name_of_a_metric_tells_which_way_is_better(monitor: str, mode: str | None) -> None:
    assert natural_mode(monitor) == mode
    for given in ("min", "max"):
        if mode in (given, None):
            require_mode("--x", monitor, given)
        else:
            with pytest.raises(UserError, match=f"^--x watches {monitor} with mode {given}, and"):
                require_mode("--x", monitor, given)


def test_the_best_checkpoint_is_not_the_worst() -> None:
    assert BestCheckpoint("val/loss").mode == "min"
    assert BestCheckpoint("val/ece").mode == "max"
    with pytest.raises(UserError, match="--best_checkpoint watches val/loss with mode max, and less of it is better"):
        BestCheckpoint("val/loss", "max")


@pytest.mark.parametrize("callback", ["EarlyStopping", "ModelCheckpoint"])
def test_no_callback_watches_a_metric_the_wrong_way(callback: str, fails: Fails) -> None:
    own = [f"--trainer.callbacks+={callback}", "--trainer.callbacks.monitor=val/acc", "--trainer.callbacks.mode=min"]
    line = fails("fit", *SMALL, *own)
    assert line == f"error: {callback} watches val/acc with mode min, and more of it is better: mode max"
