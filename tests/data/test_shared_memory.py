import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer

from classifiers import SyntheticDataModule
from classifiers.data import loaders, shared_memory
from classifiers.data.image_dataset import ImageDataset
from classifiers.data.shared_memory import Batches, fitting_workers, free_memory, needed_memory
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL
from tests.small_models import small

BATCHES = Batches(50, 48)


def test_a_batch_has_the_bytes_of_its_images_and_labels() -> None:
    images = torch.zeros(101, 1, 4, 4, dtype=torch.uint8)  # 16 bytes each, and 8 each label
    data = ImageDataset(images, torch.zeros(101, dtype=torch.int64), torch.arange(101))
    assert Batches.of(data, 10) == (11, 240)
    assert Batches.of(data, 1000) == (1, 2424)


@pytest.mark.parametrize(
    ("workers", "served", "batches"),
    [(0, [BATCHES], 0), (1, [BATCHES], 4), (3, [BATCHES], 8), (30, [BATCHES], 50), (3, [BATCHES, BATCHES], 16)],
)
def test_the_batches_that_workers_fetch_ahead_need_memory(workers: int, served: list[Batches], batches: int) -> None:
    assert needed_memory(workers, served) == batches * 48


@pytest.mark.parametrize(
    ("wanted", "free", "workers"),
    [(0, 0, 0), (3, 8 * 48, 3), (3, math.inf, 3), (None, math.inf, 5), (None, 10 * 48, 4), (None, 4 * 48 - 1, 0)],
)
def test_as_many_workers_fetch_as_fit(
    wanted: int | None, free: float, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert fitting_workers(wanted, [BATCHES], free) == workers


def test_workers_that_do_not_fit_are_refused() -> None:
    cure = "take 2, or give it more, as docker run does by --shm-size"
    line = f"--data.num_workers 3 needs 24 MiB of shared memory, /dev/shm has 20: {cure}"
    with pytest.raises(UserError, match=f"^{re.escape(line)}$"):
        fitting_workers(3, [Batches(90, 3 * 2**20)], 20 * 2**20)


def test_free_memory_is_what_the_file_system_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", {tmp_path: os.statvfs_result((4096, 4096, 9, 7, 5, 0, 0, 0, 0, 255))}.get)
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    assert free_memory() == 5 * 4096
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path / "nowhere")
    assert free_memory() == math.inf


@pytest.mark.parametrize(("memory", "workers"), [(16 * 24, 1), (12 * 24, 1), (12 * 24 - 1, 0)])
def test_a_fit_serves_training_and_validation_images_at_once(
    memory: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 training batches of 2 images and 4 validation batches of 1."""
    monkeypatch.setattr(loaders, "free_memory", lambda: memory)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    data = SyntheticDataModule(
        image_size=4, train_size=40, val_size=20, test_size=6, batch_size=2, eval_batch_size=1, num_workers=None
    )
    trainer = Trainer(fast_dev_run=True, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(small(data), data)
    assert [loader.num_workers for loader in (trainer.train_dataloader, trainer.val_dataloaders)] == [workers, workers]
    trainer.test(small(data), data, verbose=False)
    assert trainer.test_dataloaders.num_workers == 1  # 4 batches of 1


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="only root can mount shared memory")
@pytest.mark.parametrize(
    ("workers", "code", "line"),
    [
        ("8", 2, "error: --data.num_workers 8 needs 4 MiB of shared memory, /dev/shm has 2: take 2, or give it more"),
        ("2", 0, ""),
        ("null", 0, ""),
    ],
)
def test_a_fit_in_little_shared_memory_ends(workers: str, code: int, line: str, tmp_path: Path) -> None:
    options = [*SMALL, "--data.image_size=64", "--data.in_channels=3", "--data.batch_size=16"]
    fit = [sys.executable, "-W", "ignore", "-m", "classifiers", "fit", *options, f"--data.num_workers={workers}"]
    command = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs /dev/shm && exec "$@"', "sh", *fit]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code
    assert done.stderr.strip().startswith(line)
