import sys
from pathlib import Path

import pytest

from classifiers.experiment.errors import UserError
from classifiers.experiment.importing import importing_here, require


def test_the_current_folder_comes_last_and_only_for_a_while(tmp_path: Path) -> None:
    before = list(sys.path)
    with importing_here():
        assert sys.path == [*before, str(tmp_path)]
        with importing_here():
            assert sys.path == [*before, str(tmp_path)]
        assert sys.path == [*before, str(tmp_path)]
    assert sys.path == before


def test_a_class_of_a_file_here_is_imported(tmp_path: Path) -> None:
    (tmp_path / "to_require.py").write_text("class Net: ...\n")
    require("to_require.Net")
    assert sys.modules.pop("to_require").Net.__name__ == "Net"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Net", "Empty module name"),
        ("no_module.Net", "No module named 'no_module'"),
        ("json.Net", "module 'json' has no attribute 'Net'"),
    ],
)
def test_a_class_that_is_not_there(path: str, reason: str) -> None:
    with pytest.raises(UserError) as error:
        require(path)
    cure = "give MODULE.CLASS, where MODULE.py is in this folder or installed"
    assert str(error.value) == f"{path} can't be imported ({reason}): {cure}"
