from pathlib import Path

import pytest

from classifiers.experiment.studies.space import FORM
from tests.scripts.sweeps.conftest import Sweep

OPTION = "model.optimizer.lr"


@pytest.mark.parametrize(
    ("space", "line"),
    [
        ("", f"SPACE is no space: it must be a map from options to {FORM}"),
        ("[1, 2]", f"SPACE is no space: it must be a map from options to {FORM}"),
        (
            f"{OPTION}: [1, 2]",
            f"SPACE: {OPTION} must be like {{low: 0.01, high: 0.1, log: true}} or {{choices: [16, 32]}}, not [1, 2]",
        ),
        (f"{OPTION}: {{low: 1, hihg: 2}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: 1, high: 2, lgo: true}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: 1, high: 2, choices: [1]}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: a, high: 2}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{low: true, high: 2}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{choices: []}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{choices: 1}}", f"SPACE: {OPTION} must be like "),
        (f"{OPTION}: {{choices: [1, 1]}}", f"SPACE: {OPTION} has a choice twice"),
        (f"{OPTION}: {{low: 2, high: 1}}", f"SPACE: {OPTION}: low must be less than high, not 2 and 1"),
        (f"{OPTION}: {{low: 2.0, high: 2.0}}", f"SPACE: {OPTION}: low must be less than high, not 2.0 and 2.0"),
        (f"{OPTION}: {{low: .nan, high: 1}}", f"SPACE: {OPTION}: low must be less than high, not nan and 1"),
        (f"{OPTION}: {{low: 1, high: .inf}}", f"SPACE: {OPTION}: low must be less than high, not 1 and inf"),
        (f"{OPTION}: {{low: 0, high: 1, log: true}}", f"SPACE: {OPTION}: log must be true, with low above 0, or false"),
        (f"{OPTION}: {{low: 1, high: 2, log: 1}}", f"SPACE: {OPTION}: log must be true, with low above 0, or false"),
        (f"{OPTION}: {{low: 1, high: 2}}\n{OPTION}: {{low: 1, high: 3}}", "SPACE is no space: key "),
        (f"{OPTION}: {{low: 1, low: 1, high: 2}}", "SPACE is no space: key 'low' stands twice"),
        (f"{OPTION}: !!python/object/apply:os.getcwd []", "SPACE is no space: could not determine a constructor"),
        ("{", "SPACE is no space: while parsing a flow"),
        ("\x00", "SPACE is no space: unacceptable character"),
        ("[" * 5000, "SPACE is no space: "),
        ("model.net.hiden: {choices: [[1]]}", "model.net: classifiers.MLP has no option hiden: did you mean hidden?"),
        ("model.optimiser: {choices: [SGD]}", "unknown option --model.optimiser: did you mean --model.optimizer?"),
        ("data.batch_size: {choices: [64, many]}", "data.batch_size: expected int, not 'many'"),
    ],
)
def test_a_space_that_is_none_is_one_line(
    space: str, line: str, sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(space)
    with pytest.raises(SystemExit) as exit_info:
        sweep("--trials=1")
    assert exit_info.value.code == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {line.replace('SPACE', str(path))}")
    assert not (tmp_path / "sweeps").exists()
