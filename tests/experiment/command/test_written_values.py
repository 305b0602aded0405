from pathlib import Path

import pytest
import yaml

from classifiers.cli import main
from tests.conftest import Cli

PRUNING = ["ModelPruning", "pruning_fn=l1_unstructured", "amount=0.1"]
TIMER = ["Timer", "duration=00:01:00:00"]


@pytest.mark.parametrize(
    ("given", "name", "value"), [(PRUNING, "pruning_fn", "l1_unstructured"), (TIMER, "interval", "step")]
)
def test_a_saved_config_has_strings_as_they_were_given(
    fit: Cli, given: list[str], name: str, value: str, tmp_path: Path
) -> None:
    kind, *arguments = given
    run = fit(f"--trainer.callbacks+={kind}", *(f"--trainer.callbacks.{argument}" for argument in arguments))
    (saved,) = yaml.safe_load((run / "config.yaml").read_text())["trainer"]["callbacks"]
    assert saved["init_args"][name] == value
    main(["fit", f"--resume={run}", "--trainer.max_epochs=3"])
    assert (run / "metrics.csv").read_text().splitlines()[-1].startswith("3,")
