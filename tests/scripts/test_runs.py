import csv
import io
import sys
from pathlib import Path

import pytest

from tests.conftest import Script
from tests.experiment.runs.test_table import make_run

HISTORY = "epoch,step,val/loss,val/acc\n0,5,0.5,0.75\n"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    root = tmp_path / "runs"
    make_run(root / "shirts/2026-1", "model: {lr: 0.5}", {"val/acc": 0.9, "test/acc": 0.87654, "seconds": 61.4})
    make_run(root / "shirts/2026-2", "model: {lr: 0.25}", {"val/acc": 0.8, "test/acc": 0.91, "seconds": 59.6})
    make_run(root / "shirts/2026-3", "model: {lr: 0.25}", history=HISTORY)
    return root


def test_a_pipe_gets_every_column(runs: Path, script: Script) -> None:
    assert [line.split() for line in script("runs.py", str(runs), "--sort=test/acc").splitlines()] == [
        ["experiment", "run", "seed", "lr", "val/acc", "test/acc", "seconds"],
        ["shirts", "2026-2", "3", "0.25", "80.00%", "91.00%", "60"],
        ["shirts", "2026-1", "3", "0.5", "90.00%", "87.65%", "61"],
        ["shirts", "2026-3", "3", "0.25", "75.00%", "unfinished"],
    ]


def test_csv_has_exact_values_and_folders(runs: Path, script: Script) -> None:
    rows = list(csv.DictReader(io.StringIO(script("runs.py", str(runs), "--csv"))))
    assert rows[0] == {
        "experiment": "shirts", "run": "2026-1", "seed": "3", "lr": "0.5", "val/acc": "0.9", "test/acc": "0.87654",
        "seconds": "61.4", "finished": "True", "folder": str(runs / "shirts/2026-1"),
    }  # fmt: skip
    assert [row["finished"] for row in rows] == ["True", "True", "False"]
    assert rows[2]["test/acc"] == rows[2]["seconds"] == ""


def test_names_that_the_output_cannot_encode_are_escaped(
    runs: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(runs / "shirts/2026-4", "model: {lr: кот}", {})
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", out)
    script("runs.py", str(runs))
    assert rb" \u043a\u043e\u0442 " in out.buffer.getvalue()  # type: ignore[attr-defined]


def test_settings_that_do_not_fit_into_the_terminal_stand_below(
    runs: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")  # 80 columns, no bold type
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "settings" not in script("runs.py", str(runs))
    path = "data: {root: /a/rather/long/path/that/a/terminal/has/no/room/for}"
    make_run(runs / "shirts/2026-4", path, {})
    make_run(runs / "shirts/2026-5", path.replace("room", "space"), {})
    lines = [line.rstrip() for line in script("runs.py", str(runs)).splitlines()]
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines] == [
        ["experiment", "run", "seed", "settings", "val/acc", "test/acc", "seconds"],
        ["shirts", "2026-1", "3", "1", "90.00%", "87.65%", "61"],
        ["shirts", "2026-2", "3", "2", "80.00%", "91.00%", "60"],
        ["shirts", "2026-3", "3", "2", "75.00%", "unfinished"],
        ["shirts", "2026-4", "3", "3"],
        ["shirts", "2026-5", "3", "4"],
        [],
        ["1", "lr=0.5"],
        ["2", "lr=0.25"],
        ["3", "root=/a/rather/long/path/that/a/terminal/has/no/room/for"],
        ["4", "root=/a/rather/long/path/that/a/terminal/has/no/space/for"],
    ]


def test_a_damaged_run_is_named_and_the_rest_shown(
    runs: Path, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (runs / "shirts/2026-2/metrics.json").write_text("{")
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    assert len(script("runs.py", str(runs)).splitlines()) == 3
    (line,) = errors.getvalue().splitlines()
    assert line.startswith(f"left out: the run {runs / 'shirts/2026-2'} is damaged: ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["RUNS/nowhere"], "there is no folder RUNS/nowhere"),
        (["RUNS/empty", "RUNS/damaged/none"], "there are no runs in RUNS/empty, RUNS/damaged/none"),
        (["RUNS/damaged"], "the run RUNS/damaged is damaged: its config.yaml is not that of a fit"),
        (
            ["RUNS/shirts", "--sort=test_acc"],
            "there is no column test_acc to sort by, but experiment,",
        ),
        (["RUNS", "--cvs"], "unknown option --cvs: did you mean --csv?"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], line: str, runs: Path, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("empty", "damaged/none"):
        (runs / folder).mkdir(parents=True)
    (runs / "damaged/config.yaml").write_text("[]")
    with pytest.raises(SystemExit) as exit_info:
        script("runs.py", *(argument.replace("RUNS", str(runs)) for argument in arguments))
    assert exit_info.value.code == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {line.replace('RUNS', str(runs))}")


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    root = tmp_path / "runs"
    for seed, accuracy in enumerate((0.9, 0.8, 0.5)):
        metrics = {"val/acc": 0.5, "test/acc": accuracy, "test/macro_f1": accuracy / 2, "seconds": 60.0}
        settings = f"model: {{lr: {0.5 if seed < 2 else 0.25}}}"
        make_run(root / f"shirts/seed-{seed}/2026-1", settings, metrics)
    make_run(root / "shirts/seed-4/2026-1", "model: {lr: 0.5}", history=HISTORY)
    return root


def test_runs_that_differ_in_their_seed_are_grouped(seeds: Path, script: Script) -> None:
    lines = script("runs.py", str(seeds), "--group", "--metrics", "test/macro_f1", "test/acc").splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "experiment runs lr test/macro_f1 test/acc seconds",
        "shirts 2 0.5 0.4250 ± 0.0354 85.00% ± 7.07% 60 ± 0",
        "shirts 1 0.25 0.2500 ± 0.0000 50.00% ± 0.00% 60 ± 0",
    ]
    rows = list(csv.DictReader(io.StringIO(script("runs.py", str(seeds), "--group", "--csv", "--sort=test/acc"))))
    assert [row["test/acc"] for row in rows] == ["0.8500000000000001", "0.5"]
    assert float(rows[0]["test/acc_std"]) == pytest.approx(0.05 * 2**0.5)


def test_an_unknown_metric_is_one_line(seeds: Path, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    for name, hint in (("test/macro", "did you mean test/macro_f1?"), ("x", "these are val/acc, test/acc, ")):
        with pytest.raises(SystemExit, match="2"):
            script("runs.py", str(seeds), "--metrics", name)
        assert capsys.readouterr().err.startswith(f"error: --metrics: no run has {name}: {hint}")
