"""A fit from Python, and what it left: the same fit as from the command line, by the same code."""

import json
from collections.abc import Mapping
from functools import cached_property
from inspect import isabstract
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch import LightningDataModule, LightningModule

from classifiers.experiment.checkpoints.describing import made_with
from classifiers.experiment.checkpoints.reading import CLASS, SETTINGS, read_checkpoint
from classifiers.experiment.checkpoints.resume import made_by_hand
from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.command.in_python import fitted
from classifiers.experiment.command.parser import strict_parsing
from classifiers.experiment.command.rebuild import rebuild
from classifiers.experiment.errors import UserError
from classifiers.experiment.runs.folder import RunFolder
from classifiers.experiment.runs.history import Row, read_history
from classifiers.experiment.runs.html import run_as_html


def fit(
    what: str | Path | LightningModule,
    given: Mapping[str, Any] | LightningDataModule | None = None,
    *,
    cli: type[ExperimentCLI] = ExperimentCLI,
    **options: Any,
) -> "Run":
    """Fit and test, as the command line does, into a run folder.

    Args:
        what: a config file, or a module made by hand.
        given: overrides of the config, by the names of their options; or the data of the module.
        cli: the task whose config it is.
        options: `experiment`, `seed`, `monitor`, or any argument of the Trainer, objects such as callbacks too; or, of
            a config, any option by its name.

    Raises:
        UserError: a mistake in what is given, in one line.
        KeyboardInterrupt: the fit was told to stop, in order: `open_run(folder).resume()` goes on.
    """
    if isinstance(what, str | Path):
        if not isinstance(given, Mapping | None):
            raise UserError(f"fit(config, …) takes a map from options to values, not {type(given).__name__}")
        return _run(fitted(cli, {"config": what, **(given or {})}, None, options))
    if not isinstance(what, LightningModule):
        raise UserError(f"fit takes a config or a LightningModule, not {type(what).__name__}: wrap it in one")
    if not isinstance(given, LightningDataModule):
        raise UserError(f"fit(model, data) needs a LightningDataModule, not {type(given).__name__}")
    return _run(fitted(_task(cli, what), {}, (what, given), options))


def open_run(folder: str | Path, cli: type[ExperimentCLI] = ExperimentCLI) -> "Run":
    """The run in `folder`; UserError if it holds none."""
    return Run(folder, cli)


def _task(cli: type[ExperimentCLI], model: LightningModule) -> type[ExperimentCLI]:
    return cli if isinstance(model, cli.model_class) else ExperimentCLI


def _run(done: ExperimentCLI) -> "Run":
    run = Run(done.callback(RunFolder).folder, type(done))
    run.__dict__["model"] = done.model.eval()  # which has the best weights
    return run


class Run:
    """A run folder, and what is in it; a notebook shows it as a table and its figures."""

    def __init__(self, folder: str | Path, cli: type[ExperimentCLI]) -> None:
        self.folder, self.cli = Path(folder), cli
        self.made_by_hand = made_by_hand(self.folder)

    @property
    def config(self) -> dict[str, Any]:
        """All settings, as in `config.yaml`."""
        return dict(yaml.safe_load((self.folder / "config.yaml").read_text()))

    @property
    def metrics(self) -> dict[str, Any]:
        """What the finished run came to, as in `metrics.json`; empty before its end."""
        path = self.folder / "metrics.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    @property
    def history(self) -> list[Row]:
        """A row for each time that something was logged: a map from metrics, epoch and step to floats."""
        return read_history(self.folder)

    @property
    def figures(self) -> dict[str, Path]:
        """The pictures by their names."""
        return {path.stem: path for path in sorted((self.folder / "figures").glob("*.png"))}

    @cached_property
    def model(self) -> LightningModule:
        """With the best weights, on the CPU, ready to predict; UserError if its checkpoint can't make it again."""
        return self._rebuilt("best").eval()

    def resume(
        self, model: LightningModule | None = None, data: LightningDataModule | None = None, **options: Any
    ) -> "Run":
        """Go on with the fit, in its folder, as if it had never stopped; with further options as `fit` takes them.

        Raises:
            UserError: the run was made of objects that no plain values describe, and they aren't given again.
        """
        options["resume"] = str(self.folder)
        if self.made_by_hand is None:
            if model or data:
                raise UserError(f"{self.folder} was made of a config, which describes its model and data: give none")
            return _run(fitted(self.cli, {}, None, options))
        given = {"model": model, "data": data, **options}
        if missing := [name for name in self.made_by_hand if given.get(name) is None]:
            raise UserError(f"{self.folder} was made of objects: give resume its {' and '.join(missing)} again")
        objects = (model or self._rebuilt("last"), data or self.data)
        return _run(fitted(_task(self.cli, objects[0]), {}, objects, options))

    def _rebuilt(self, name: str) -> LightningModule:
        path = self.folder / f"checkpoints/{name}.ckpt"
        checkpoint = read_checkpoint(path)
        kind = LightningModule if CLASS in checkpoint.get(SETTINGS, {}) else self.cli.model_class
        return rebuild(kind, checkpoint, path)

    @cached_property
    def data(self) -> LightningDataModule:
        """The data module, made anew; UserError if no plain values describe it."""
        if "data" in (self.made_by_hand or ()):
            raise UserError(f"{self.folder} was made of data that its config can't describe: give it again")
        parser = ArgumentParser(exit_on_error=False)
        kind = self.cli.datamodule_class if self.made_by_hand is None else LightningDataModule
        whole = kind is LightningDataModule or isabstract(kind)
        (parser.add_subclass_arguments if whole else parser.add_class_arguments)(kind, "data", fail_untyped=False)
        with strict_parsing():
            made: LightningDataModule = parser.instantiate(parser.parse_object({"data": self.config["data"]})).data
        made_with(made, self.config["data"].get("init_args", self.config["data"]))
        return made

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        return run_as_html(self.folder, self.metrics, self.figures)
