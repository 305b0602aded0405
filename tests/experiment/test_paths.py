import runpy
import shutil
from pathlib import Path

import pytest

from classifiers.experiment import paths
from classifiers.experiment.paths import at_home, expanded, project_root


def test_the_project_is_where_its_pyproject_stands() -> None:
    assert project_root() == Path(__file__).parents[2]


def test_a_package_installed_elsewhere_uses_the_current_folder(tmp_path: Path) -> None:
    installed = tmp_path / "lib/site-packages/classifiers/paths.py"
    installed.parent.mkdir(parents=True)
    shutil.copy(paths.__file__, installed)
    assert runpy.run_path(str(installed))["project_root"]() == Path.cwd()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--resume=~/runs/1", "--resume=/home/me/runs/1"),
        ("--data.root=~", "--data.root=/home/me"),
        ("--storage=sqlite:///~/x", "--storage=sqlite:///~/x"),
        ("--experiment=~nobody_of_that_name/x", "--experiment=~nobody_of_that_name/x"),
        ("~/x=~/y", "~/x=~/y"),
        ("--data.size=3", "--data.size=3"),
        ("fit", "fit"),
    ],
)
def test_an_option_has_its_home(given: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded(given) == meant


def test_a_path_has_its_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert at_home(Path("~/x")) == Path("/home/me/x")
    assert at_home("a/~") == Path("a/~")
