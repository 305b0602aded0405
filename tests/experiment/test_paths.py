import runpy
import shutil
from pathlib import Path

from classifiers.experiment import paths
from classifiers.experiment.paths import project_root


def test_the_project_is_where_its_pyproject_stands() -> None:
    assert project_root() == Path(__file__).parents[2]


def test_a_package_installed_elsewhere_uses_the_current_folder(tmp_path: Path) -> None:
    installed = tmp_path / "lib/site-packages/classifiers/paths.py"
    installed.parent.mkdir(parents=True)
    shutil.copy(paths.__file__, installed)
    assert runpy.run_path(str(installed))["project_root"]() == Path.cwd()
