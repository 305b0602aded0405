import itertools
import json
from pathlib import Path

from lightning.pytorch import Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from classifiers.callbacks import TensorBoardCharts
from classifiers.experiment.runs.event_file import EventFile
from tests.conftest import Cli
from tests.small_models import QUIET, small, synthetic


def test_tensorboard_shows_charts_images_graph_and_final_hparams(fit: Cli) -> None:
    folder = fit()
    events = EventAccumulator(str(folder), size_guidance={"images": 0})
    events.Reload()
    tags = events.Tags()
    assert {"train/loss", "lr", "train/epoch_loss", "train/acc", "val/loss", "val/acc", "test/loss", "test/acc"} <= set(
        tags["scalars"]
    )
    assert tags["images"] == ["training images"]
    assert tags["graph"]
    assert "custom_scalars__config__" in tags["tensors"]
    metrics = json.loads((folder / "metrics.json").read_text())
    for split, metric in itertools.product(("val", "test"), ("loss", "acc")):
        (event,) = events.Scalars(f"{split}/best_{metric}")
        assert abs(event.value - metrics[f"{split}/{metric}"]) < 1e-6
    summary = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"data.batch_size" in summary
    assert b"seed_everything" in summary


def test_the_net_is_in_the_mode_that_it_was_in(tmp_path: Path) -> None:
    data, options = synthetic(), {**QUIET, "max_epochs": 1, "log_every_n_steps": 3, "logger": EventFile(tmp_path)}
    model = small(data)
    before = [part.training for part in model.net.modules()]
    Trainer(callbacks=[TensorBoardCharts()], **options).fit(model, data)
    assert [part.training for part in model.net.modules()] == before
