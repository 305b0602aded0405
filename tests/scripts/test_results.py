from pathlib import Path

from classifiers.experiment.studies.results import Figure, Row, markdown, row

METRICS = ("val/acc", "test/acc")
RESULTS = [
    {"test/acc": 0.70, "test/loss": 0.80, "seconds": 10.0, "last": {"val/acc": 0.71, "val/loss": 0.9}},
    {"test/acc": 0.72, "test/loss": 0.78, "seconds": 14.0, "last": {"val/acc": 0.73, "val/loss": 0.7}},
]


def test_a_row_compares_the_last_epochs_with_what_was_published(tmp_path: Path) -> None:
    (tmp_path / "published.yaml").write_text(
        "shirts:\n  val/acc: {published: 0.707, tolerance: 0.015}\n  val/loss: {published: 0.7, tolerance: 0.05}\n"
    )
    shirts = row(tmp_path / "shirts.yaml", RESULTS, METRICS)
    assert (shirts.config, shirts.seeds) == ("shirts", 2)
    assert [round(value, 6) for value in shirts.tested["test/acc"]] == [0.71, 0.014142]
    assert [round(value, 6) for value in shirts.seconds] == [12, 2.828427]
    assert [(figure.metric, round(figure.measured[0], 6), figure.met) for figure in shirts.published] == [
        ("val/acc", 0.72, True),
        ("val/loss", 0.8, False),
    ]


def test_a_config_without_published_figures_has_none(tmp_path: Path) -> None:
    assert row(tmp_path / "shirts.yaml", RESULTS[:1], METRICS).published == []
    assert row(tmp_path / "shirts.yaml", RESULTS[:1], METRICS).tested == {
        "test/acc": (0.70, 0.0),
        "test/loss": (0.80, 0.0),
    }


def test_the_table_is_markdown() -> None:
    figures = [
        Figure("val/acc", 0.705, 0.015, (0.72, 0.01), True),
        Figure("val/loss", 0.7, 0.05, (0.8, 0.02), False),
    ]
    rows = [
        Row("shirts", 2, {"test/acc": (0.71, 0.014), "test/loss": (0.79, 0.02)}, (12.0, 2.8), figures),
        Row("plain", 1, {"test/acc": (0.9, 0.0), "test/loss": (0.3, 0.0)}, (5.2, 0.0), []),
    ]
    assert markdown(rows).splitlines() == [
        "| config | seeds | test accuracy | test loss | seconds | published | ours | met |",
        "|---|---|---|---|---|---|---|---|",
        "| shirts | 2 | 71.00% ± 1.40% | 0.7900 ± 0.0200 | 12 ± 3 | val/acc 0.705 ± 0.015 | 0.7200 ± 0.0100 | yes |",
        "|  |  |  |  |  | val/loss 0.7 ± 0.05 | 0.8000 ± 0.0200 | **no** |",
        "| plain | 1 | 90.00% ± 0.00% | 0.3000 ± 0.0000 | 5 ± 0 |  |  |  |",
    ]


def test_any_task_has_its_own_metrics(tmp_path: Path) -> None:
    waves = row(
        tmp_path / "waves.yaml", [{"test_loss": 0.5, "val_loss": 0.6, "seconds": 3.0}], ("val_loss", "test_loss")
    )
    none = row(tmp_path / "none.yaml", [{"val_loss": 0.6, "seconds": 3.0}], ("val_loss", "test_loss"))
    assert markdown([waves, none]).splitlines() == [
        "| config | seeds | test loss | seconds | published | ours | met |",
        "|---|---|---|---|---|---|---|",
        "| waves | 1 | 0.5000 ± 0.0000 | 3 ± 0 |  |  |  |",
        "| none | 1 |  | 3 ± 0 |  |  |  |",
    ]
    plain = {"config": "waves", "seeds": 1, "test_loss": (0.5, 0.0), "seconds": (3.0, 0.0), "published": []}
    assert list(waves.plain().items()) == list(plain.items())
