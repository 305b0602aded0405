import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from classifiers.cli import ClassifierCLI, main
from classifiers.experiment.command import cli
from classifiers.experiment.command.given import from_environment, subcommand_first
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL, Fails
from tests.experiment.checkpoints.test_resume import run_of


def test_a_config_before_the_subcommand_has_sections_of_subcommands(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("fit: {trainer: {max_epochs: 3}, experiment: mine}\ntest: {figures: false}\n")
    (tmp_path / "no.yaml").write_text("- 1\n")
    before = subcommand_first(["--config=all.yaml", "fit", "--figures=true"], ["fit", "test"])
    assert (before[:2], before[3:]) == (["fit", "--experiment=all"], ["--figures=true"])
    assert yaml.safe_load(before[2].removeprefix("--config=")) == {"trainer": {"max_epochs": 3}, "experiment": "mine"}
    for given in (["fit", "--config=all.yaml"], ["--config", "all.yaml"], ["--help"], []):
        assert subcommand_first(given, ["fit"]) == given
    for file, line in (("all.yaml", "stands before validate, and has no section validate"), ("no.yaml", "no section"),
                       ("none.yaml", "there is no file none.yaml: near it is no.yaml")):  # fmt: skip
        with pytest.raises(UserError, match=line):
            subcommand_first(["--config", file, "validate"], ["fit", "validate"])


def test_a_key_that_stands_twice_there_is_refused_as_anywhere(tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("fit: {experiment: one, experiment: two}\n")
    with pytest.raises(UserError, match="--config twice.yaml: .*key 'experiment' stands twice"):
        subcommand_first(["--config", "twice.yaml", "fit"], ["fit"])


def test_a_home_is_found_by_every_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[str] = []
    command = SimpleNamespace(main=lambda cli, arguments: given.extend(arguments))
    monkeypatch.setattr(cli, "import_command", lambda module: command)
    monkeypatch.setenv("HOME", str(tmp_path))
    main(["runs", "--folder=~/runs"])
    assert given == [f"--folder={tmp_path}/runs"]


def test_variables_are_options_of_their_subcommand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PL_FIT__TRAINER__MAX_EPOCHS", "3")
    monkeypatch.setenv("PL_FIT__DATA", "SyntheticDataModule")
    monkeypatch.setenv("PL_TEST__DATA", "other")
    assert from_environment("fit") == ["--data=SyntheticDataModule", "--trainer.max_epochs=3"]


@pytest.mark.parametrize("how", ["config", "variables", "parser_kwargs"])
def test_a_fit_is_told_by_any_of_them(how: str, monkeypatch: pytest.MonkeyPatch, fails: Fails) -> None:
    options = [*SMALL, "--trainer.default_root_dir=runs"]
    if how == "config":
        Path("all.yaml").write_text("fit: {trainer: {max_epochs: 1}}")
        main(["--config", "all.yaml", "fit", *(option for option in options if "max_epochs" not in option)])
        assert run_of(Path.cwd()).parent.name == "all"
    else:
        monkeypatch.setenv("PL_FIT__TRAINER__MIN_EPOCHS", "2")
        if how == "variables":
            monkeypatch.setenv("JSONARGPARSE_DEFAULT_ENV", "true")
        ClassifierCLI(["fit", *options], parser_kwargs={"default_env": True} if how == "parser_kwargs" else None)
        assert yaml.safe_load((run_of(Path.cwd()) / "config.yaml").read_text())["trainer"]["min_epochs"] == 2
    assert "test/acc" in json.loads((run_of(Path.cwd()) / "metrics.json").read_text())


def test_what_is_not_run_can_be_run_by_hand() -> None:
    cli = ClassifierCLI([*SMALL, "--trainer.default_root_dir=runs"], run=False)
    assert not Path("runs").exists()
    cli.trainer.fit(cli.model, cli.datamodule)
    assert (run_of(Path.cwd()) / "checkpoints/best.ckpt").exists()
