"""Two processes, or two nodes, that share a pack in an object store."""

import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifiers.data.packing import write_pack
from classifiers.experiment.paths import project_root
from tests.conftest import SMALL
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.object_store import object_store, upload

FIT = [
    *SMALL,
    "--data=StreamDataModule",
    "--data.batch_size=16",
    "--data.image_size=16",
    "--data.memory_limit=0",
    "--data.num_workers=2",
    "--last_checkpoint.every_n_steps=2",
    "--trainer.strategy=ddp",
    "--trainer.max_epochs=3",
    "--trainer.default_root_dir=runs",
    "--trainer.callbacks+=tests.instruments.Seen",
    "--trainer.callbacks.log=seen.txt",
]  # 4 steps an epoch
KILL = ["--trainer.callbacks+=tests.instruments.Kill", "--trainer.callbacks.hook=on_train_batch_end",
        "--trainer.callbacks.step=6", "--trainer.callbacks.once=once"]  # fmt: skip


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    """A pack of images that show their numbers in their first two pixels, 100 of them to train on."""
    for part, count in (("train", 100), ("val", 10), ("test", 11)):
        for number in range(count):
            pixels = np.zeros((16, 16, 3), np.uint8)
            pixels[0, 1] = number
            path = tmp_path / "numbered" / part / f"{number % 2}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    write_pack(tmp_path / "numbered", tmp_path / "pack")
    return tmp_path / "pack"


def of_two(kind: str, folder: Path, variables: dict[str, str], *arguments: str) -> list[int]:
    """How the programs end that train by two processes, or on two nodes."""
    folder.mkdir(exist_ok=True)
    paths = os.pathsep.join([str(project_root()), os.environ.get("PYTHONPATH", "")])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = [str(Path(sys.executable).with_name("torchrun")), "--nnodes=2", "--nproc-per-node=1",
                "--master-addr=127.0.0.1", f"--master-port={port}"]  # fmt: skip
    commands = {
        "processes": [[sys.executable, "-m", "classifiers", "fit", "--trainer.devices=2"]],
        "nodes": [[*torchrun, f"--node-rank={rank}", "-m", "classifiers", "fit", "--trainer.num_nodes=2"]
                  for rank in (0, 1)],
    }  # fmt: skip
    environment = {**os.environ, **variables, "PYTHONPATH": paths}
    programs = [
        subprocess.Popen([*command, *arguments], cwd=folder, env=environment, start_new_session=True)
        for command in commands[kind]
    ]
    return [program.wait() for program in programs]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["processes", "nodes"])
def test_each_image_is_trained_on_once_and_a_kill_of_one_changes_nothing(
    kind: str, numbered: Path, tmp_path: Path
) -> None:
    with object_store() as server:
        variables = {**server, "LITDATA_CACHE_DIR": str(tmp_path / "kept")}
        fit = [*FIT, f"--data.root={upload(numbered, kind, variables)}"]
        assert set(of_two(kind, tmp_path / "whole", variables, *fit)) == {0}
        assert 0 not in of_two(kind, tmp_path / "killed", variables, *fit, *KILL)
        run = run_of(tmp_path / "killed")
        assert set(of_two(kind, tmp_path / "killed", variables, f"--resume={run}")) == {0}
    counts = Counter(line.rpartition(" ")[0] for line in (tmp_path / "whole/seen.txt").read_text().splitlines())
    assert set(counts) == {f"{epoch} {number}" for epoch in range(3) for number in range(100)}
    assert set(counts.values()) == {1}
    whole, killed = content(run_of(tmp_path / "whole")), content(run)
    assert differences([whole[name] for name in ("best", "last")], [killed[name] for name in ("best", "last")]) == []
