"""Two processes on one machine, launched as a user launches them."""

import csv
import functools
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from classifiers import ImageClassifier, SyntheticDataModule, load_classifier
from tests.conftest import SMALL
from tests.experiment.checkpoints.test_resume import run_of
from tests.processes import finished, set_environment, start, wait_for_file

TWO = ["--trainer.devices=2", "--trainer.strategy=ddp", "--data.test_size=131"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    options = [*SMALL, *TWO, "--trainer.default_root_dir=runs", "--trainer.enable_progress_bar=true"]
    command = [sys.executable, "-m", "classifiers", "fit", *options]
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        subprocess.run(command, cwd=folder, check=True, stdout=out, stderr=err)
    return run_of(folder)


def test_nothing_is_printed_twice(run: Path) -> None:
    out = (run.parents[2] / "out").read_text()
    assert out.count("epoch 1/2") == out.count("best epoch") == 1
    assert "device       cpu, 2 processes" in out
    assert (run.parents[2] / "err").read_text() == ""


def test_there_is_one_run_folder_with_one_set_of_files(run: Path) -> None:
    names = sorted(path.name for path in run.rglob("*") if path.is_file() and "tfevents" not in path.name)
    tables = ["classes.csv", "confused.csv", "mistakes.csv"]
    assert names == sorted(["best.ckpt", "config.yaml", "last.ckpt", "metrics.csv", "metrics.json", *tables])
    assert len(list(run.glob("*tfevents*"))) == 1
    with (run / "metrics.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2", "2", "2", "5", "5", "5", "6"]


def test_every_test_image_counts_once(run: Path) -> None:
    model = ImageClassifier.load_from_checkpoint(run / "checkpoints/best.ckpt", weights_only=True).eval()
    images, labels = SyntheticDataModule(4, image_size=16, train_size=400, test_size=131).load(train=False)
    correct = (model(images).argmax(1) == labels).sum().item()
    assert json.loads((run / "metrics.json").read_text())["test/acc"] == torch.tensor(correct).div(131).item()


@pytest.mark.slow
def test_every_test_image_is_predicted_once(run: Path, tmp_path: Path) -> None:
    path = run / "checkpoints/best.ckpt"
    data = [option for option in SMALL if option.startswith(("--data", "--trainer.acc", "--trainer.enable"))]
    command = [sys.executable, "-m", "classifiers", "predict", *data, *TWO, f"--ckpt_path={path}"]
    subprocess.run([*command, f"--predictions={tmp_path / 'x.csv'}"], cwd=tmp_path, check=True)
    with (tmp_path / "x.csv").open(newline="") as file:
        _, *rows = csv.reader(file)
    images, labels = SyntheticDataModule(4, image_size=16, test_size=131).load(train=False)
    with torch.inference_mode():
        expected = load_classifier(path, "cpu")(images).softmax(1)
    assert [int(index) for index, *_ in rows] == list(range(131))
    assert [true for _, true, *_ in rows] == [f"pattern {label}" for label in labels]
    found = torch.tensor([[float(share) for share in shares] for _, _, _, *shares in rows])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_two_processes_take_the_steps_of_one_with_twice_the_batch(run: Path, tmp_path: Path) -> None:
    finished(tmp_path, "fit", *SMALL, "--data.batch_size=128", "--trainer.default_root_dir=runs")
    two, one = (
        torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for folder in (run, run_of(tmp_path))
    )
    assert two.keys() == one.keys()
    for name, value in two.items():
        torch.testing.assert_close(value, one[name], rtol=1e-4, atol=1e-5)


def test_two_nodes_started_by_torchrun_leave_one_run(run: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nodes = [
        subprocess.Popen(
            [Path(sys.executable).with_name("torchrun"), "--nnodes=2", "--nproc-per-node=1", f"--node-rank={rank}",
             "--master-addr=127.0.0.1", f"--master-port={port}", "-m", "classifiers", "fit", *SMALL,
             TWO[1], TWO[2], "--trainer.num_nodes=2", f"--trainer.default_root_dir={tmp_path / 'runs'}"], cwd=tmp_path,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    assert [node.wait() for node in nodes] == [0, 0]
    nodes_run, processes_run = (
        torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for folder in (run_of(tmp_path), run)
    )
    for name, value in nodes_run.items():
        torch.testing.assert_close(value, processes_run[name], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_signal_to_one_of_two_processes_ends_both_in_order(tmp_path: Path) -> None:
    options = [*SMALL, *TWO, "--trainer.max_epochs=100000", "--trainer.default_root_dir=runs"]
    command = [sys.executable, "-m", "classifiers", "fit", *options]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        wait_for_file(process, tmp_path, "runs/*/*/metrics.csv")
        process.terminate()
        out, _ = process.communicate()  # ends when no process has it open
    assert process.returncode == 143
    last = run_of(tmp_path) / "checkpoints/last.ckpt"
    step = torch.load(last, weights_only=True)["global_step"]
    assert step % 3 == 0
    assert out.splitlines()[-1] == f"Stopped before step {step}: saved {last}"


def test_a_missing_rank_is_one_line(tmp_path: Path) -> None:
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    strategy = ["--trainer.strategy=lightning.pytorch.strategies.DDPStrategy", "--trainer.strategy.timeout=00:00:01"]
    before = functools.partial(set_environment, {**alone, "TORCHELASTIC_RUN_ID": "x"})
    running = start(tmp_path, "fit", *SMALL, *strategy, "--trainer.num_nodes=2", before=before)
    assert running.wait() == 2
    reason = r"Timed out after \d+ seconds waiting for clients\. 1/2 clients joined\."
    cure = "start every rank, with one MASTER_ADDR, MASTER_PORT and WORLD_SIZE"
    line = running.err.splitlines()[-1]
    assert re.fullmatch(rf"error: the processes don't come together \({reason}\): {cure}", line)
