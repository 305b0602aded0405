import json
import subprocess
from pathlib import Path

import torch

from classifiers.experiment.paths import project_root
from classifiers.experiment.runs.summary import write_metrics

RESULT = {
    "experiment": "shirts",
    "seed": 3,
    "epochs": 10,
    "best_epoch": 7,
    "seconds": 61.4,
    "train/acc": 0.95,
    "val/loss": 0.25,
    "val/acc": 0.925,
    "test/loss": 0.26,
    "test/acc": 0.9212,
}


def test_metrics_json_holds_the_result_and_what_made_it(tmp_path: Path) -> None:
    write_metrics(tmp_path, RESULT)
    (file,) = tmp_path.iterdir()
    written = json.loads(file.read_text())
    assert file.name == "metrics.json"
    assert {name: written[name] for name in RESULT} == RESULT
    assert written["versions"]["torch"] == torch.__version__.partition("+")[0]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project_root(), capture_output=True, text=True, check=False)
    if head.returncode == 0:
        assert written["git_commit"].removesuffix("-dirty") == head.stdout.strip()
    else:
        assert written["git_commit"] is None
