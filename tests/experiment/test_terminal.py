import io
import re
import sys
from pathlib import Path

import pytest

from classifiers.experiment.runs.panels import print_end
from classifiers.experiment.terminal import encodable
from tests.conftest import SMALL
from tests.experiment.runs.test_summary import RESULT
from tests.processes import finished


def test_the_end_says_it_all(capsys: pytest.CaptureFixture[str]) -> None:
    print_end(Path("/runs/shirts/1"), {**RESULT, "experiment": "shirts[/b]"}, {"worst F1": "shirt 0.500"})
    lines = [line.strip("│╭╮╰╯─ \n") for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "shirts[/b]",
        "best epoch   8 of 10",
        "val          loss 0.2500   accuracy 92.50%",
        "test         loss 0.2600   accuracy 92.12%",
        "worst F1     shirt 0.500",
        "seconds      61",
        "run folder   /runs/shirts/1",
        "",
    ]


def test_a_fit_prints_its_start_its_epochs_and_its_end_and_nothing_else(tmp_path: Path) -> None:
    fit = finished(tmp_path, "fit", *SMALL, "--trainer.default_root_dir=runs", "--trainer.enable_progress_bar=true")
    lines = [line.strip("│╭╮╰╯─ \n") for line in fit.out.splitlines()]
    (run,) = (path.relative_to(tmp_path) for path in tmp_path.glob("runs/*/*"))
    assert lines[:8] == [
        "default",
        "data         SyntheticDataModule, 4 classes",
        "images       360 to train, 40 to validate",
        "net          MLP, 2,092 parameters",
        "device       cpu, precision 32-true",
        f"run folder   {run}",
        "watch it     tensorboard --logdir runs/default",
        "",
    ]
    assert [re.split(" {3}", line)[0] for line in lines[8:]] == [
        "epoch 1/2", "epoch 2/2", "default", "best epoch", "val", "test", "worst F1", "seconds", "run folder", "",
    ]  # fmt: skip
    assert fit.err == ""


def test_what_the_output_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", out)
    with encodable():
        print("é я \udcff")
    assert out.buffer.getvalue() == b"\xe9 \\u044f \xff\n"  # type: ignore[attr-defined]
    assert out.errors == "strict"


def test_any_other_output_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    with encodable():
        print("я")
    assert out.getvalue() == "я\n"
