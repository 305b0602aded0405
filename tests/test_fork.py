"""A fork: this project as it stands, under a name of its own, with what CONTRIBUTING.md shows added to it."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from lightning.pytorch import seed_everything

import classifiers
from classifiers.experiment.paths import project_root
from tests.conftest import SMALL, Cli, Promise, Script
from tests.small_models import synthetic

OLD = classifiers.__name__
NEW = f"{OLD}_fork"
AVERAGING = """
import torch


class Averaging(torch.optim.SGD):
    judged = False

    def __init__(self, params, lr: float = 0.1) -> None:
        super().__init__(params, lr)
        self.param_groups[0]["judged"] = False

    def train(self) -> None:
        self._swap(False)

    def eval(self) -> None:
        self._swap(True)

    def _swap(self, judged: bool) -> None:
        for group in self.param_groups if self.param_groups[0]["judged"] != judged else ():
            for parameter in group["params"]:
                state = self.state[parameter]
                average = state.setdefault("average", parameter.detach().clone())
                if judged:
                    state["trained"] = parameter.detach().clone()
                    parameter.data.copy_(average.lerp_(parameter.detach(), 0.1))
                else:
                    parameter.data.copy_(state["trained"])
        self.param_groups[0]["judged"] = judged
"""
PYTHON = sys.executable
COMMIT = ("git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "commit", "-qam", "A")


def run(folder: Path, *command: str, code: int = 0) -> str:
    """What a command in `folder` prints; there it finds its package, and a trap where the old one may be installed."""
    trap = folder.parent / "trap"
    environment = {**os.environ, "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{trap}"}
    out = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert out.returncode == code, out.stdout + out.stderr
    return out.stdout + out.stderr


def examples(root: Path) -> dict[str, str]:
    """The code of CONTRIBUTING.md by the path of its file; that of no file is "task"."""
    text = (root / ".github/CONTRIBUTING.md").read_text()
    return {path or "task": code for path, code in re.findall(r"(?:`(\S+)`)?[^\n`]*:\n\n```\w+\n(.*?)```", text, re.S)}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files that git knows or would add, committed."""
    folder = tmp_path_factory.mktemp("fork") / "clone"
    root = project_root()
    if not (root / ".git").exists():
        pytest.skip("renaming needs a git clone")
    for path in run(root, "git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (root / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, folder / path)
    for command in (["init", "-q"], ["add", "-A"]):
        run(folder, "git", *command)
    run(folder, *COMMIT)
    return folder


@pytest.fixture(scope="module")
def fork(clone: Path) -> Path:
    folder = clone.with_name("renamed")
    run(clone, "git", "clone", "-q", str(clone), str(folder))
    run(folder, PYTHON, "scripts/rename.py", NEW)
    (folder.parent / "trap").mkdir()
    (folder.parent / f"trap/{OLD}.py").write_text("raise ImportError('this was the old name')")
    for path, code in examples(folder).items():
        file = folder / path
        text = file.read_text() if file.exists() else ""
        if path != "task" and code not in text:
            file.write_text(text + code)
    return folder


def test_the_readmes_command_works_and_can_be_undone(clone: Path) -> None:
    (name,) = re.findall(r"python scripts/rename\.py (\w+)", (clone / "README.md").read_text())
    run(clone, PYTHON, "scripts/rename.py", name)
    assert bool(run(clone, "git", "status", "--porcelain")) == (name != OLD)
    run(clone, "git", "reset", "-q", "--hard")
    assert run(clone, "git", "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        *((name, f"{name!r} can't name a package: ") for name in ("My", "my-shirts", "1st", "_my", "é", "class", "")),
        *((name, f"{name} is the name of another module on this machine: ") for name in ("torch", "json", "fit")),
        ("src", "src means something else in pyproject.toml: "),
        ("tests", "tests means something else in .ci/run: "),
    ],
)
def test_a_bad_name_is_one_line(name: str, line: str, clone: Path) -> None:
    (printed,) = run(clone, PYTHON, "scripts/rename.py", name, code=2).splitlines()
    assert printed.startswith(f"error: {line}")
    assert run(clone, "git", "status", "--porcelain") == ""


def test_changes_are_committed_first(clone: Path) -> None:
    (clone / "new").touch()
    (printed,) = run(clone, PYTHON, "scripts/rename.py", NEW, code=2).splitlines()
    assert printed.startswith("error: the tree has changes (see git status): commit or stash them")
    (clone / "new").unlink()
    assert run(clone, "git", "status", "--porcelain") == ""


def test_a_folder_without_git_is_one_line(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/rename.py").write_bytes((clone / "scripts/rename.py").read_bytes())
    (printed,) = run(tmp_path, PYTHON, "scripts/rename.py", NEW, code=2).splitlines()
    assert printed.startswith("error: git ls-files: fatal: not a git repository")


def test_no_prose_takes_the_packages_name_for_a_word(clone: Path) -> None:
    word = re.compile(rf"\b(?!from |import |m |py )[a-z]+ {OLD}\b(?!\.)", re.IGNORECASE)
    texts = {path: (clone / path).read_text(errors="ignore") for path in run(clone, "git", "ls-files").splitlines()}
    assert {path: found for path, text in texts.items() if (found := word.findall(text))} == {}


def test_nothing_has_the_old_name(fork: Path) -> None:
    assert run(fork, "git", "grep", "--untracked", "-Iiw", OLD, code=1) == ""
    assert f"src/{NEW}/__init__.py" in (paths := run(fork, "git", "ls-files"))
    assert f"src/{OLD}/" not in paths
    assert (fork / "README.md").read_text().startswith(f"# {NEW}\n")


def test_what_is_the_templates_alone_is_gone(fork: Path) -> None:
    gone = ["scripts/benchmark.py", "scripts/benchmarks", "configs/tutorials", "configs/README.md", "tests/earlier_run"]
    assert [path for path in gone if (fork / path).exists()] == []
    for text in ((fork / name).read_text() for name in ("README.md", ".github/CONTRIBUTING.md")):
        assert not re.search(r"benchmark|tutorials/|configs/README|until here", text)
        links = [link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not link.startswith("http")]
        assert [link for link in links if not (fork / link).exists()] == []


def test_a_forks_own_files_stay_when_it_is_renamed_again(clone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fork"
    run(clone, "git", "clone", "-q", str(clone), str(folder))
    run(folder, PYTHON, "scripts/rename.py", NEW)
    readme = (folder / "README.md").read_text()
    assert all(before == "" for before, line in pairwise(readme.splitlines()) if line.startswith("## "))
    assert "\n\n\n" not in readme
    (folder / "configs/README.md").write_text("Our own results.\n")
    run(folder, "git", "add", "-A")
    run(folder, *COMMIT)
    run(folder, PYTHON, "scripts/rename.py", f"{OLD}_again")
    assert (folder / "configs/README.md").read_text() == "Our own results.\n"
    assert (folder / "README.md").read_text() == readme.replace(NEW, f"{OLD}_again")


def test_it_can_be_kept(clone: Path) -> None:
    before = run(clone, "git", "ls-files")
    run(clone, PYTHON, "scripts/rename.py", NEW, "--keep")
    assert run(clone, "git", "ls-files") == before.replace(f"src/{OLD}/", f"src/{NEW}/")
    run(clone, "git", "reset", "-q", "--hard")


def test_a_second_time_changes_nothing(fork: Path) -> None:
    before = run(fork, "git", "diff", "HEAD")
    assert run(fork, PYTHON, "scripts/rename.py", NEW) == f"the project is named {NEW} already\n"
    assert run(fork, "git", "diff", "HEAD") == before


def test_the_tests_find_the_new_net_and_its_config(fork: Path) -> None:
    config = "tests/test_configs.py::test_config[configs/strided_net.yaml]"
    printed = run(fork, PYTHON, "-m", "pytest", "-v", "-n", "0", "tests/models/test_models.py", config)
    assert printed.count("[StridedNet-") == 2
    assert f"{config} PASSED" in printed


def test_the_new_data_set_trains_the_new_net(fork: Path) -> None:
    data = synthetic(num_classes=3, in_channels=3, image_size=28)
    arrays: dict[str, Any] = {}
    for split in ("train", "test"):
        images, labels = data.load(train=split == "train")
        arrays |= {f"{split}_images": images.movedim(1, 3).numpy(), f"{split}_labels": labels.numpy()}
    np.savez(fork.parent / "tissue.npz", **arrays)
    options = ["--data=TissueDataModule", f"--data.root={fork.parent}", "--model.net=StridedNet", "--model.net.width=8"]
    trainer = [option for option in SMALL if option.startswith(("--trainer", "--figures"))]
    run(fork, PYTHON, "-m", NEW, "fit", *options, *trainer)
    (folder,) = (fork / "runs/default").iterdir()
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["data"]["class_path"] == f"{NEW}.data.TissueDataModule"
    assert config["model"]["net"]["class_path"] == f"{NEW}.models.StridedNet"
    assert "test/acc" in json.loads((folder / "metrics.json").read_text())


def test_parts_of_ones_own(fit: Cli, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_parts.py").write_text(examples(project_root())["my_parts.py"])
    (tmp_path / "averaging.py").write_text(AVERAGING)
    metric = ["--model.metrics+=my_parts.NearMiss"]
    parts = ["--model.loss=my_parts.Focal", "--data.augmentations+=my_parts.Darker"]
    averaged = ["--trainer.callbacks+=my_parts.ScheduleFree", "--model.optimizer=averaging.Averaging"]
    run = fit(*metric, *parts, *averaged, "--best_checkpoint.monitor=val/near_miss")
    result = json.loads((run / "metrics.json").read_text())
    saved = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    assert saved["optimizer_states"][0]["param_groups"][0]["judged"] is True
    assert saved["callbacks"]["BestCheckpoint"] == {"monitor": "val/near_miss", "score": result["val/near_miss"]}
    assert result["test/near_miss"] > result["test/acc"]
    assert f"{result['test/near_miss']:.4f}" in script("runs.py", "runs", "--metrics", "test/near_miss")


def test_the_other_task_is_learned() -> None:
    seed_everything(0)
    names: dict[str, Any] = {}
    with warnings.catch_warnings(action="ignore"):
        exec(examples(project_root())["task"], names)
    assert names["trainer"].callback_metrics["test/acc"] > 0.8
    (probabilities, *_) = names["trainer"].predict(names["model"], names["data"])
    assert probabilities.sum(1).max() > 1.5


@pytest.mark.slow
def test_all_tests_of_the_fork_pass(fork: Path, promise: Promise) -> None:
    # a name longer than the old one may leave a comment or a string that is too long for its line
    for check in (["ruff", "check", "--ignore=E501"], ["ruff", "format", "--check"], ["mypy"]):
        run(fork, PYTHON, "-m", *check)
    printed = run(fork, PYTHON, "-m", "pytest", "-q")
    promise(f"Renaming: in a copy of another name and with one more net, {printed.splitlines()[-1]}")
