import json
from pathlib import Path
from typing import Any

import pytest

from classifiers.experiment.errors import UserError
from classifiers.experiment.runs.table import find_runs, read_run, sort_rows, table, written
from tests.conftest import Cli


def make_run(folder: Path, config: str = "", metrics: dict[str, Any] | None = None, history: str = "") -> Path:
    """A run folder with what a fit of experiment "shirts" and seed 3 leaves, and what is given."""
    folder.mkdir(parents=True)
    always = "experiment: shirts\nseed_everything: 3\nbest_checkpoint: {monitor: val/loss, mode: null}\n"
    (folder / "config.yaml").write_text(always + config)
    if metrics is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics))
    if history:
        (folder / "metrics.csv").write_text(history)
    return folder


def test_runs_are_found_at_any_depth(tmp_path: Path) -> None:
    deep, shallow = make_run(tmp_path / "repeat/shirts-1a/seed-0/2026"), make_run(tmp_path / "shirts/2025")
    assert find_runs([tmp_path]) == find_runs([tmp_path, tmp_path / "shirts"]) == [deep, shallow]
    assert find_runs([shallow]) == [shallow]


def test_a_fit_tells_its_settings_and_metrics(fit: Cli) -> None:
    folder = fit("--model.optimizer=SGD", "--model.optimizer.lr=0.25", "--experiment=shirts")
    run = read_run(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert run.which == {"experiment": "shirts", "run": folder.name, "seed": 0}
    assert (run.settings["data"], run.settings["model.optimizer"]) == ("SyntheticDataModule", "SGD")
    assert run.settings["model.optimizer.lr"] == 0.25
    assert run.reached == {
        "val/acc": metrics["val/acc"], "test/acc": metrics["test/acc"], "seconds": metrics["seconds"],
        "finished": True, "folder": str(folder),
    }  # fmt: skip


def test_an_unfinished_run_tells_its_best_epoch_so_far(tmp_path: Path) -> None:
    history = "epoch,step,val/loss,val/acc\n0,5,0.5,0.75\n1,11,0.25,0.625\n2,17,0.75,0.875\n"
    folder = make_run(tmp_path / "1", history=history)
    unknown = {"test/acc": None, "seconds": None, "finished": False, "folder": str(folder)}
    assert read_run(folder).reached == {"val/acc": 0.625, **unknown}
    folder.joinpath("metrics.csv").unlink()
    assert read_run(folder).reached == {"val/acc": None, **unknown}


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("config.yaml", "!!python/object/apply:os.mkdir [ran]", "could not determine a constructor for the tag"),
        ("config.yaml", "a: [1", "while parsing a flow sequence"),
        ("config.yaml", "a: &a {b: *a}\nbest_checkpoint: {}", "maximum recursion depth exceeded"),
        ("config.yaml", "- 1", "its config.yaml is not that of a fit"),
        ("config.yaml", "best_checkpoint: {speed: 3}", "unexpected keyword argument 'speed'"),
        ("config.yaml", "best_checkpoint: {}\nx: [{init_args: 3}]", "'int' object is not iterable"),
        ("metrics.json", '{"val/acc": 0.', "Expecting"),
        ("metrics.json", "[1, 2]", "cannot convert"),
        ("metrics.json", '{"val/acc": "high"}', "could not convert string to float: 'high'"),
        ("metrics.csv", "epoch,step,val/loss\n0,5,x\n", "could not convert string to float: 'x'"),
        ("metrics.csv", "epoch,step\n0,5,7,8\n", "must be a string or a real number, not 'list'"),
    ],
)
def test_a_damaged_run_is_named_with_the_reason(file: str, text: str, reason: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "1")
    (folder / file).write_text(text)
    with pytest.raises(UserError, match=rf"the run {folder} is damaged: .*{reason}"):
        read_run(folder)
    assert not Path("ran").exists()


def test_settings_differ_where_two_runs_have_them_and_get_their_shortest_name(tmp_path: Path) -> None:
    configs = [
        "data: {class_path: a.Shirts, init_args: {seed: 1, size: 9}}\nmodel: {lr: 1, loss: {lr: 3}, rate: 5}",
        "data: {class_path: a.Shirts, init_args: {seed: 2, size: 9}}\nmodel: {lr: 2, loss: {lr: 4}}\nfigures: false",
        "data: a.Hats\nmodel: {lr: 2, loss: {lr: 4}}\nfigures: true",
    ]
    rows, settings = table([read_run(make_run(tmp_path / str(place), text)) for place, text in enumerate(configs)])
    assert settings == ["data", "data.seed", "model.lr", "loss.lr"]
    assert [[row[name] for name in settings] for row in rows] == [
        ["Shirts", 1, 1, 3],
        ["Shirts", 2, 2, 4],
        ["Hats", None, 2, 4],
    ]
    assert list(rows[0])[3:-5] == settings


@pytest.mark.parametrize(
    ("column", "order"), [("test/acc", "1203"), ("seconds", "0213"), ("lr", "2103"), ("run", "0123")]
)
def test_accuracies_fall_and_all_else_rises(column: str, order: str, tmp_path: Path) -> None:
    known: list[tuple[str, dict[str, float] | None]] = [
        ("lr: 0.5", {"test/acc": 0.25, "seconds": 1}),
        ("lr: 0.25", {"test/acc": 0.75, "seconds": 3}),
        ("lr: 1.0e-3", {"test/acc": 0.5, "seconds": 2}),
        ("lr: big", None),
    ]
    runs = [read_run(make_run(tmp_path / str(place), *one)) for place, one in enumerate(known)]
    assert "".join(row["run"] for row in sort_rows(table(runs)[0], column)) == order


def test_an_unknown_column_names_the_others(tmp_path: Path) -> None:
    rows, _ = table([read_run(make_run(tmp_path / "1"))])
    with pytest.raises(UserError, match="there is no column acc to sort by, but experiment, run, seed, val/acc"):
        sort_rows(rows, "acc")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, 0.1),
        (None, "null"),
        ("torch.optim.SGD", "SGD"),
        ("data/My.Shirts", "data/My.Shirts"),
        ([16, 32], "[16, 32]"),
        (
            [{"class_path": "a.Crop", "init_args": {"padding": 2, "fill": None}}, {"class_path": "a.Flip"}],
            "[Crop(padding=2, fill=null), Flip]",
        ),
    ],
)
def test_a_setting_is_written_for_people(value: Any, text: Any) -> None:
    assert written(value) == text
