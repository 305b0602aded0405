import shutil
import subprocess
import sys
from pathlib import Path

import classifiers
from classifiers.paths import project_root


def test_the_project_is_where_its_pyproject_stands() -> None:
    assert project_root() == Path(__file__).parents[1]


def test_a_package_installed_elsewhere_uses_the_current_folder(tmp_path: Path) -> None:
    shutil.copytree(Path(classifiers.__file__).parent, tmp_path / "site" / "classifiers")
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n" + (
        "from classifiers import paths; print(paths.__file__); print(paths.project_root())"
    )
    (tmp_path / "here").mkdir()
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "here", capture_output=True, text=True, check=True
    )
    module, root = result.stdout.splitlines()
    assert module == str(tmp_path / "site/classifiers/paths.py")
    assert root == str(tmp_path / "here")
