"""The settings that a sweep tries: a YAML map from options of `fit` to ranges or choices."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from math import isfinite
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader
from optuna import Trial
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json

from classifiers.experiment.command.explain import missing_file
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.runs.table import shortest

FORM = "{low: 0.01, high: 0.1, log: true} or {choices: [16, 32]}"
Distribution = CategoricalDistribution | FloatDistribution | IntDistribution


class Space:
    """Ranges and choices under the names of their options; a range between integers holds integers only.

    Raises:
        UserError: the file at `path` isn't there, or holds no space.
    """

    def __init__(self, path: Path) -> None:
        try:
            content = get_loader("yaml")(path.read_text())
        except FileNotFoundError as error:
            raise UserError(missing_file(path)) from error
        except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
            raise UserError(f"{path} is no space: {one_line(error)}") from error
        if not content or not isinstance(content, dict):
            raise UserError(f"{path} is no space: it must be a map from options to {FORM}")
        self.distributions = {str(name): _distribution(f"{path}: {name}", given) for name, given in content.items()}
        self.short = {name: shortest(name, list(self.distributions)) for name in self.distributions}

    def describe(self) -> dict[str, str]:
        """What two equal spaces have in common."""
        return {name: distribution_to_json(distribution) for name, distribution in self.distributions.items()}

    def corners(self) -> Iterator[dict[str, str]]:
        """Settings in which each choice and both ends of each range occur."""
        ends = [
            given.choices if isinstance(given, CategoricalDistribution) else (given.low, given.high)
            for given in self.distributions.values()
        ]
        for values in zip_longest(*ends):
            chosen = (end[0] if value is None else value for value, end in zip(values, ends, strict=True))
            yield self.settings(dict(zip(self.distributions, chosen, strict=True)))

    def draw(self, trial: Trial) -> dict[str, str]:
        """The settings of a trial."""
        return self.settings({name: _suggest(trial, name, given) for name, given in self.distributions.items()})

    def settings(self, values: dict[str, Any]) -> dict[str, str]:
        """Options and their values as they are written, numbers with four digits."""
        return {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in values.items()}

    def tell(self, settings: dict[str, str]) -> str:
        """The settings, in short."""
        return " ".join(f"{self.short[name]}={value}" for name, value in settings.items())


def _distribution(where: str, given: Any) -> Distribution:
    match given:
        case {"choices": [_, *_] as choices, **rest} if not rest:
            texts = [given if isinstance(given, str) else json.dumps(given, default=str) for given in choices]
            if len(set(texts)) < len(texts):
                raise UserError(f"{where} has a choice twice")
            return CategoricalDistribution(texts)
        case {"low": low, "high": high, **rest} if {type(low), type(high)} <= {int, float} and rest.keys() <= {"log"}:
            log = rest.get("log", False)
            if not (low < high and isfinite(low) and isfinite(high)):
                raise UserError(f"{where}: low must be less than high, not {low} and {high}")
            if not isinstance(log, bool) or (log and low <= 0):
                raise UserError(f"{where}: log must be true, with low above 0, or false")
            return (FloatDistribution if float in (type(low), type(high)) else IntDistribution)(low, high, log=log)
    raise UserError(f"{where} must be like {FORM}, not {given}")


def _suggest(trial: Trial, name: str, given: Distribution) -> str | int | float:
    if isinstance(given, CategoricalDistribution):
        return str(trial.suggest_categorical(name, given.choices))
    suggest: Any = trial.suggest_int if isinstance(given, IntDistribution) else trial.suggest_float
    drawn: int | float = suggest(name, given.low, given.high, log=given.log)
    return drawn
