from pathlib import Path

import pytest

from classifiers.experiment.runs.history import Row, best_row, read_history


def test_each_row_has_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,step,train/loss,val/acc\n0,49,2.5,\n0,99,,0.5\n1,149,1.5\n")
    assert read_history(tmp_path) == [
        {"epoch": 0, "step": 49, "train/loss": 2.5},
        {"epoch": 0, "step": 99, "val/acc": 0.5},
        {"epoch": 1, "step": 149, "train/loss": 1.5},
    ]


def test_a_run_without_metrics_has_no_rows(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []


@pytest.mark.parametrize(("mode", "step"), [("max", 2), ("min", 0)])
def test_the_best_row_is_the_first_of_the_best_value(mode: str, step: int) -> None:
    values = [0.5, float("nan"), 0.75, 0.5, 0.75]
    rows: list[Row] = [{"step": place, "val/acc": value} for place, value in enumerate(values)]
    best = best_row([*rows, {"step": 9, "train/acc": 1.0}], "val/acc", mode)
    assert best is not None
    assert best["step"] == step
    assert best_row(rows, "val/loss", mode) is None
