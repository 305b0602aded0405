"""What several seeds of a config reach, beside what was published for it."""

import re
import statistics
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from classifiers.experiment.errors import UserError
from classifiers.experiment.terminal import shown


@dataclass(frozen=True)
class Row:
    """A config's results over its seeds, each figure as (mean, standard deviation)."""

    config: str
    seeds: int
    tested: dict[str, tuple[float, float]]  # by the names of the metrics
    seconds: tuple[float, float]
    published: list["Figure"]

    def plain(self) -> dict[str, Any]:
        """As `table.json` has it."""
        tested = {re.sub(r"\W", "_", name): figure for name, figure in self.tested.items()}
        published = [asdict(figure) for figure in self.published]
        own = {"config": self.config, "seeds": self.seeds}
        return {**own, **tested, "seconds": self.seconds, "published": published}


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
    metrics = list(dict.fromkeys(name for row in rows for name in row.tested))
    heads = ["config", "seeds", *map(_head, metrics), "seconds", "published", "ours", "met"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        tested = [
            " ± ".join(shown(name, value) for value in row.tested[name]) if name in row.tested else ""
            for name in metrics
        ]
        cells = [row.config, str(row.seeds), *tested, f"{row.seconds[0]:.0f} ± {row.seconds[1]:.0f}"]
        figures = [_cells(figure) for figure in row.published] or [["", "", ""]]
        lines.append(f"| {' | '.join(cells + figures[0])} |")
        lines += [f"| {' | '.join([''] * len(cells) + figure)} |" for figure in figures[1:]]
    return "\n".join(lines) + "\n"


def _head(metric: str) -> str:
    return re.sub(r"\bacc$", "accuracy", re.sub(r"[/_]", " ", metric))


def _cells(figure: Figure) -> list[str]:
    published = f"{figure.metric} {figure.published:.4g} ± {figure.tolerance:g}"
    return [published, f"{figure.measured[0]:.4f} ± {figure.measured[1]:.4f}", "yes" if figure.met else "**no**"]


def row(
    config: Path,
    results: Sequence[dict[str, Any]],
    own: Sequence[str],
    metrics: Sequence[str] | None = None,
    folds: int = 1,
) -> Row:
    """The row of a config from `metrics` of its runs, or else from those of its `own` that are of a test, and losses of
    the test; with the figures of a `published.yaml` beside it. Each seed has a run for each of the `folds`.

    Raises:
        UserError: no such metric.
    """
    known = {name: value for name, value in results[0].items() if isinstance(value, float)}
    require_known(metrics or (), known)
    losses = [name for name in known if name.endswith("loss")]
    of_test = [name for name in dict.fromkeys([*own, *losses]) if name.startswith("test") and name in known]
    published = config.with_name("published.yaml")
    figures = yaml.safe_load(published.read_text()).get(config.stem, {}) if published.is_file() else {}
    return Row(
        config.stem if folds == 1 else f"{config.stem}, {folds} folds",
        len(results) // folds,
        {name: mean_and_std([result[name] for result in results]) for name in metrics or of_test},
        mean_and_std([result["seconds"] for result in results]),
        [_figure(metric, results, **figure) for metric, figure in figures.items()],
    )


def require_known(metrics: Iterable[str], known: Collection[str]) -> None:
    """Raise UserError, with the nearest right name, unless all `metrics` are `known`."""
    for name in metrics:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"these are {', '.join(known)}"
            raise UserError(f"--metrics: no run has {name}: {hint}")


def _figure(metric: str, results: Sequence[dict[str, Any]], published: float, tolerance: float) -> Figure:
    measured = mean_and_std([result["last"][metric] for result in results])
    return Figure(metric, published, tolerance, measured, abs(measured[0] - published) <= tolerance)


def mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
