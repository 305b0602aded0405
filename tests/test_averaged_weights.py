"""`configs/trainer/ema.yaml`: whoever uses a run gets the averaged weights."""

import csv
import json
from functools import partial
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging
from torch import Tensor

from classifiers import fit as fit_in_python
from classifiers import load_classifier
from classifiers.cli import main
from classifiers.experiment.paths import project_root
from classifiers.inference.export import export
from tests.conftest import SMALL, Cli
from tests.small_models import small, synthetic

EMA = project_root() / "configs/trainer/ema.yaml"


class Weights(Callback):
    """Keeps a copy of a weight after each step."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        self.seen.append(pl_module.get_parameter("net.head.weight").detach().clone())


def test_checkpoints_hold_the_average_of_the_weights(tmp_path: Path) -> None:
    data, weights = synthetic(), Weights()
    callbacks = [EMAWeightAveraging(decay=0.75), weights]
    model = small(data, optimizer=partial(torch.optim.SGD, lr=0.5))
    run = fit_in_python(model, data, max_epochs=1, callbacks=callbacks, default_root_dir=str(tmp_path), figures=False)
    average = weights.seen[0]
    for weight in weights.seen[1:]:
        average = 0.75 * average + 0.25 * weight
    for name in ("best", "last"):
        saved = torch.load(run.folder / f"checkpoints/{name}.ckpt", weights_only=True)["state_dict"]["net.head.weight"]
        assert torch.allclose(saved, average, atol=1e-6)
        assert not torch.allclose(saved, weights.seen[-1], atol=1e-3)


def test_the_numbers_of_the_fit_are_those_of_whoever_uses_it(fit: Cli) -> None:
    run = fit(f"--config={EMA}", "--trainer.callbacks.decay=0.75", "--model.optimizer=SGD", "--model.optimizer.lr=0.5")
    best = run / "checkpoints/best.ckpt"
    tested = json.loads((run / "metrics.json").read_text())["test/acc"]
    main(["predict", f"--ckpt_path={best}", *(one for one in SMALL if "--data" in one), "--predictions=x.csv"])
    rows = [*csv.DictReader(Path("x.csv").read_text().splitlines())]
    images, labels = synthetic().load(train=False)
    probabilities = torch.tensor([[float(row[f"pattern {label}"]) for label in range(4)] for row in rows])
    assert (probabilities.argmax(1) == labels).float().mean().item() == pytest.approx(tested)
    model = load_classifier(best, "cpu")
    assert torch.allclose(model(images).softmax(1), probabilities, atol=1e-4)
    export(model, Path("x.pt2"), images)
    exported = torch.export.load("x.pt2").module()(images)
    assert torch.allclose(exported, probabilities, atol=1e-4)


def test_it_adds_to_the_callbacks_of_the_config_before(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["fit", f"--config={EMA.parent.parent / 'cifar10.yaml'}", f"--config={EMA}", "--print_config"])
    printed = capsys.readouterr().out
    assert printed.index("WhitenFirstConvolution") < printed.index("EMAWeightAveraging")
