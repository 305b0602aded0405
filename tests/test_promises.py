"""What the README promises, tried at full size: real data sets, many processes, many epochs."""

import functools
import gzip
import hashlib
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torchvision.datasets import FashionMNIST

from classifiers import CIFAR10DataModule, FashionMNISTDataModule, ImageClassifier, ImageDataModule
from classifiers.data import fashion_mnist
from classifiers.experiment.paths import project_root
from tests.conftest import REAL_DATA, SMALL, Promise
from tests.experiment.checkpoints.test_resume import run_of
from tests.processes import finished, start

pytestmark = pytest.mark.slow
needs_fashion_mnist = pytest.mark.skipif(not (REAL_DATA / "FashionMNIST").exists(), reason="data/ has no Fashion-MNIST")
needs_cifar10 = pytest.mark.skipif(not (REAL_DATA / "cifar-10-batches-py").exists(), reason="data/ has no CIFAR-10")
SHORT = ["--model.net=LeNet", "--trainer.accelerator=cpu", "--trainer.max_epochs=1", "--trainer.limit_train_batches=20",
         "--trainer.default_root_dir=runs", "--trainer.enable_progress_bar=false"]  # fmt: skip


@needs_fashion_mnist
def test_the_test_accuracy_is_a_count_of_all_images(tmp_path: Path, promise: Promise) -> None:
    finished(tmp_path, "fit", *SHORT)
    checkpoint = run_of(tmp_path) / "checkpoints/best.ckpt"
    model = ImageClassifier.load_from_checkpoint(checkpoint, weights_only=True).eval()
    images, labels = FashionMNISTDataModule().load(train=False)
    with torch.inference_mode():
        correct = sum(int(model(image[None]).argmax() == label) for image, label in zip(images, labels, strict=True))
    sizes = (1, 77, 128, 10_000)
    for size in sizes:
        tested = finished(tmp_path, "test", f"--ckpt_path={checkpoint}", f"--data.batch_size={size}", SHORT[1])
        (accuracy,) = re.findall(r"test/acc +│ +([\d.]+)", tested.out)
        assert round(float(accuracy) * 10_000) == correct
        assert float(accuracy) == torch.tensor(correct).div(10_000).item()
    promise(f"Accuracy: {len(labels):,} test images counted one by one, equal at batch sizes {sizes}")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(FashionMNISTDataModule, marks=needs_fashion_mnist),
        pytest.param(CIFAR10DataModule, marks=needs_cifar10),
    ],
)
def test_no_image_is_in_two_splits(kind: type[ImageDataModule], promise: Promise) -> None:
    data = kind()
    data.setup("fit")
    data.setup("test")
    splits = [
        [hashlib.sha256(split.images[index].numpy()).digest() for index in split.indices.tolist()]
        for split in (data.train_set, data.val_set, data.test_set)
    ]
    different = len(set().union(*splits))
    assert different == sum(map(len, splits))
    promise(f"Splits: {different:,} images of {kind.__name__} hashed, none twice")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine that has Fashion-MNIST, and the paths that it was asked for."""
    (tmp_path / "mirror").mkdir()
    for name in fashion_mnist.MD5S:
        content = (REAL_DATA / "FashionMNIST/raw" / name).read_bytes()
        (tmp_path / "mirror" / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, *args: object) -> None:
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(tmp_path / "mirror"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()


def get_from(mirror: str) -> None:
    fashion_mnist.SYSTEM_FOLDER = "/nowhere"
    FashionMNIST.mirrors = [mirror]


@needs_fashion_mnist
def test_ten_fits_at_once_share_one_download(tmp_path: Path, mirror: tuple[str, list[str]], promise: Promise) -> None:
    url, asked = mirror
    arguments = ["fit", *SHORT, f"--data.root={tmp_path / 'data'}", f"--trainer.default_root_dir={tmp_path / 'runs'}"]
    fits = [start(tmp_path / str(index), *arguments, before=functools.partial(get_from, url)) for index in range(10)]
    assert [fit.wait() for fit in fits] == [0] * 10
    assert sorted(asked) == sorted(f"/{name}.gz" for name in fashion_mnist.MD5S)
    assert len(list(tmp_path.glob("runs/*/*/metrics.json"))) == 10
    promise(f"Ten fits at once without data: all finished, {len(asked)} files fetched once")


def test_two_hundred_epochs_grow_nothing(tmp_path: Path, promise: Promise) -> None:
    watch = ["--trainer.callbacks+=tests.instruments.Watch", "--trainer.callbacks.log=log"]
    finished(tmp_path, "fit", *SMALL, *watch, "--trainer.max_epochs=200", "--trainer.default_root_dir=runs")
    memory, files = zip(*(map(int, line.split()) for line in (tmp_path / "log").read_text().splitlines()), strict=True)
    assert len(memory) == 200
    assert files[199] == files[1]
    growth = memory[199] / memory[49] - 1
    assert growth < 0.01
    promise(f"200 epochs: memory {memory[199] / 1024:.0f} MiB, {growth:+.2%} since epoch 50; {files[199]} files open")


@pytest.mark.parametrize(
    ("file", "kept"),
    [
        ("experiment/command/test_bad_input.py", "Wrong input: {} tests, each one line, exit code 2, nothing written"),
        (
            "experiment/checkpoints/test_hostile_files.py",
            "Hostile files: {} tests, each refused, nothing that they name imported or called",
        ),
    ],
)
def test_wrong_and_hostile_input_is_refused(file: str, kept: str, promise: Promise) -> None:
    command = [sys.executable, "-m", "pytest", "-q", str(project_root() / "tests" / file)]
    result = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, check=True)
    (passed,) = re.findall(r"(\d+) passed", result.stdout)
    promise(kept.format(passed))
