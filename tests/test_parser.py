from collections.abc import Callable
from pathlib import Path

import pytest

Fails = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("trainer:\n  max_epochs: 1\n  max_epochs: 2\n", "key 'max_epochs' stands twice in"),
        ("trainer:\n\tmax_epochs: 1\n", "cannot start any token"),
        ("a: !!python/object/apply:os.system ['echo ran']\n", "could not determine a constructor for the tag"),
    ],
)
def test_a_config_that_is_not_yaml(fails: Fails, tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert reason in fails("fit", "--config", str(tmp_path / "x.yaml"))


def test_options_are_not_abbreviated(fails: Fails) -> None:
    assert fails("fit", "--seed", "3").startswith("error: unknown option --seed")


def test_an_unknown_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    from classifiers.cli import main

    with pytest.raises(SystemExit) as exit_info:
        main(["fitt"])
    assert exit_info.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: argument subcommand: invalid choice: 'fitt' (choose from 'fit', 'validate', ")
