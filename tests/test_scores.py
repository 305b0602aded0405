import csv
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchmetrics.classification import (
    BinaryAccuracy,
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassCohenKappa,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassFBetaScore,
    MulticlassRecall,
)
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score, multiclass_recall

from classifiers import MLP, ImageClassifier, SyntheticDataModule, UserError, load_classifier, open_run
from classifiers.cli import main
from classifiers.scores import MetricCallable, TopFive, scores
from tests.conftest import SMALL, Cli, Fails
from tests.small_models import small, synthetic, trained

TWO = ["--model.metrics+=MulticlassRecall", "--model.metrics.average=weighted", "--model.metrics+=MulticlassF1Score"]
CLASSES = "--data.num_classes=7"


class AnyLabels(ImageClassifier):
    activation = torch.nn.Sigmoid()


def answers(run: Path, part: str) -> tuple[Tensor, Tensor]:
    """The best checkpoint's probabilities of validation or test images, and their classes."""
    model = load_classifier(run / "checkpoints/best.ckpt", device="cpu")
    data = SyntheticDataModule(7, image_size=16, train_size=400, test_size=130)
    data.setup("fit")
    data.setup("test")
    images = getattr(data, f"{part}_set")
    pixels, labels = images.first(len(images))
    with torch.inference_mode():
        return model.probabilities(model(pixels)), labels


@pytest.mark.parametrize("options", [[], ["--data.one_hot=true", "--data.eval_batch_size=7"]], ids=["labels", "rows"])
def test_validation_and_test_log_them_and_the_best_checkpoint_may_follow(options: list[str], fit: Cli) -> None:
    run = fit(*TWO, CLASSES, "--best_checkpoint.monitor=val/macro_f1", *options)
    result = json.loads((run / "metrics.json").read_text())
    for part in ("val", "test"):
        found, labels = answers(run, part)
        expected = {
            "top5": multiclass_accuracy(found, labels, 7, top_k=5, average="micro"),
            "weighted_recall": multiclass_recall(found, labels, 7, average="weighted"),
            "macro_f1": multiclass_f1_score(found, labels, 7, average="macro"),
        }
        for name, value in expected.items():
            assert result[f"{part}/{name}"] == pytest.approx(value.item(), abs=1e-6), (part, name)
    saved = torch.load(run / "checkpoints/best.ckpt", weights_only=True)
    assert saved["callbacks"]["BestCheckpoint"] == {"monitor": "val/macro_f1", "score": result["val/macro_f1"]}
    with (run / "metrics.csv").open(newline="") as file:
        epochs = [float(row["val/macro_f1"]) for row in csv.DictReader(file) if row["val/macro_f1"]]
    assert max(epochs) == result["val/macro_f1"]


def test_a_checkpoint_alone_knows_them(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    run = fit(*TWO)
    result = json.loads((run / "metrics.json").read_text())
    capsys.readouterr()
    data = [option for option in SMALL if option.startswith("--data")]
    main(["test", f"--ckpt_path={run / 'checkpoints/best.ckpt'}", "--trainer.accelerator=cpu", *data])
    assert f"{result['test/weighted_recall']:.5f}"[:6] in capsys.readouterr().out


def test_up_to_five_classes_have_no_top_five(fit: Cli) -> None:
    assert "val/top5" not in json.loads((fit() / "metrics.json").read_text())


def test_from_python_too(tmp_path: Path) -> None:
    data = synthetic(num_classes=6)
    model = small(data, metrics=[partial(MulticlassRecall, average="macro"), MulticlassCohenKappa])
    trainer = trained(model, data)
    assert {"val/top5", "val/macro_recall", "val/cohen_kappa"} <= trainer.callback_metrics.keys()
    trainer.save_checkpoint(tmp_path / "x.ckpt")
    again = ImageClassifier.load_from_checkpoint(tmp_path / "x.ckpt")
    assert {*again.val_scores} == {"val/top5", "val/macro_recall", "val/cohen_kappa"}
    assert not load_classifier(tmp_path / "x.ckpt", "cpu").training


def test_a_run_may_be_opened(fit: Cli) -> None:
    assert isinstance(open_run(fit(*TWO)).model, ImageClassifier)


@pytest.mark.slow
def test_two_processes_score_all_images(tmp_path: Path) -> None:
    two = ["--trainer.devices=2", "--trainer.strategy=ddp", f"--trainer.default_root_dir={tmp_path / 'runs'}"]
    metrics = [*TWO, "--model.metrics+=MulticlassAUROC", CLASSES]
    subprocess.run([sys.executable, "-m", "classifiers", "fit", *SMALL, *metrics, *two], cwd=tmp_path, check=True)
    (run,) = (tmp_path / "runs").glob("*/*")
    result = json.loads((run / "metrics.json").read_text())
    found, labels = answers(run, "test")
    assert result["test/top5"] == pytest.approx(multiclass_accuracy(found, labels, 7, "micro", 5).item(), abs=1e-6)
    assert result["test/macro_f1"] == pytest.approx(multiclass_f1_score(found, labels, 7).item(), abs=1e-6)
    assert result["test/macro_auroc"] == pytest.approx(MulticlassAUROC(7)(found, labels).item(), abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_top_five_counts_every_image(batch_size: int) -> None:
    draw = torch.Generator().manual_seed(0)
    found, labels = torch.rand(64, 9, generator=draw).softmax(1), torch.randint(9, (64,), generator=draw)
    metric = TopFive()
    for rows, classes in zip(found.split(batch_size), labels.split(batch_size), strict=True):
        metric.update(rows, classes)
    assert torch.equal(metric.compute(), multiclass_accuracy(found, labels, 9, top_k=5, average="micro"))


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (MulticlassF1Score, "macro_f1"),
        (partial(MulticlassRecall, average="micro"), "recall"),
        (MulticlassAUROC, "macro_auroc"),
        (MulticlassCohenKappa, "cohen_kappa"),
        (partial(MulticlassAccuracy, top_k=3, average="micro"), "top3"),
        (partial(MulticlassAccuracy, top_k=3), "macro_top3"),
        (partial(MulticlassRecall, top_k=2, average="micro"), "top2_recall"),
    ],
)
def test_names(metric: MetricCallable, name: str) -> None:
    assert [*scores([metric], 4)] == [name]


@pytest.mark.parametrize(
    ("metrics", "classes", "line"),
    [
        ([MulticlassF1Score], 0, "--model.metrics are of two or more classes, by their class_names: "),
        ([MulticlassRecall, MulticlassRecall], 4, "--model.metrics has macro_recall twice: leave one out"),
        ([MulticlassConfusionMatrix], 4, "--model.metrics: MulticlassConfusionMatrix makes no single number: "),
        ([partial(MulticlassRecall, average="none")], 4, "--model.metrics: MulticlassRecall makes no single number: "),
        ([BinaryAccuracy], 4, "--model.metrics: BinaryAccuracy is no metric of 4 classes: "),
        ([MulticlassFBetaScore], 4, "--model.metrics: MulticlassFBetaScore is no metric of 4 classes: "),
    ],
)
def test_what_is_no_score_is_one_line(metrics: list[MetricCallable], classes: int, line: str) -> None:
    with pytest.raises(UserError) as error:
        scores(metrics, classes)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        ("MulticlassConfusionMatrix", "--model.metrics: MulticlassConfusionMatrix makes no single number: "),
        ("MulticlassFBetaScore", "model.metrics: torchmetrics.classification.MulticlassFBetaScore needs num_classes"),
        ("MulticlassF1", "model.metrics: there is no class torchmetrics.classification.MulticlassF1: did you mean "),
    ],
)
def test_a_wrong_option_is_one_line_at_the_start(metric: str, line: str, fails: Fails) -> None:
    told = fails("fit", *SMALL, f"--model.metrics+=torchmetrics.classification.{metric}")
    assert told.startswith(f"error: {line}")
    assert "Namespace" not in told


def test_another_task_has_none() -> None:
    names = [str(label) for label in range(9)]
    assert not AnyLabels(MLP(1, 16, 9, hidden=[8]), class_names=names).val_scores
    assert [*ImageClassifier(MLP(1, 16, 9, hidden=[8]), class_names=names).val_scores] == ["val/top5"]
