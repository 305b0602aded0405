"""What several seeds of a config reach, beside what was published for it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Row:
    """A config's results over its seeds, each figure as (mean, standard deviation)."""

    config: str
    seeds: int
    test_acc: tuple[float, float]
    test_loss: tuple[float, float]
    seconds: tuple[float, float]
    published: list["Figure"]


@dataclass(frozen=True)
class Figure:
    """A published figure beside ours, of the last epoch."""

    metric: str
    published: float
    tolerance: float
    measured: tuple[float, float]
    met: bool


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table; a config with several published figures takes several lines."""
    lines = [
        "| config | seeds | test accuracy | test loss | seconds | published | ours | met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        accuracy = f"{row.test_acc[0]:.2%} ± {row.test_acc[1]:.2%}"
        loss = f"{row.test_loss[0]:.4f} ± {row.test_loss[1]:.4f}"
        cells = [row.config, str(row.seeds), accuracy, loss, f"{row.seconds[0]:.0f} ± {row.seconds[1]:.0f}"]
        figures = [_cells(figure) for figure in row.published] or [["", "", ""]]
        lines.append(f"| {' | '.join(cells + figures[0])} |")
        lines += [f"| {' | '.join([''] * len(cells) + figure)} |" for figure in figures[1:]]
    return "\n".join(lines) + "\n"


def _cells(figure: Figure) -> list[str]:
    published = f"{figure.metric} {figure.published:.4g} ± {figure.tolerance:g}"
    return [published, f"{figure.measured[0]:.4f} ± {figure.measured[1]:.4f}", "yes" if figure.met else "**no**"]


def row(config: Path, results: Sequence[dict[str, Any]]) -> Row:
    """The row of a config from the metrics of its runs, with the figures of a `published.yaml` beside it."""
    published = config.with_name("published.yaml")
    figures = yaml.safe_load(published.read_text()).get(config.stem, {}) if published.is_file() else {}
    return Row(
        config.stem,
        len(results),
        _mean_and_std([result["test/acc"] for result in results]),
        _mean_and_std([result["test/loss"] for result in results]),
        _mean_and_std([result["seconds"] for result in results]),
        [_figure(metric, results, **figure) for metric, figure in figures.items()],
    )


def _figure(metric: str, results: Sequence[dict[str, Any]], published: float, tolerance: float) -> Figure:
    measured = _mean_and_std([result["last"][metric] for result in results])
    return Figure(metric, published, tolerance, measured, abs(measured[0] - published) <= tolerance)


def _mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
