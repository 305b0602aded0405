"""Images in many files: how fast they come, how long a start takes, and what a fit of them keeps in memory."""

import gc
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.loader import BATCH_SIZE, images_a_second
from benchmarks.measure import Bench, Row
from classifiers import ImageFolderDataModule
from classifiers.experiment.errors import UserError

SIDE, CLASSES, PICTURES = 224, 1000, 500
GIVEN = {"mean": [0.5] * 3, "std": [0.25] * 3}  # so that no start computes them
BATCHES = 60  # of which the speed is that of a loader
FIT = ["--data=ImageFolderDataModule", f"--data.image_size={SIDE}", "--data.batch_size=32", "--data.cache=true",
       "--model.net=ConvNet", "--model.net.widths=[8,16]", "--trainer.accelerator=cpu", "--trainer.max_epochs=1",
       "--trainer.limit_train_batches=20", "--trainer.limit_val_batches=20", "--trainer.limit_test_batches=20",
       "--threads=1", "--figures=false"]  # fmt: skip


def large(bench: Bench) -> Iterator[Row]:
    """Loaders beside torchvision's; a start with images that are decoded already; a fit beside one of a tenth."""
    if bench.files < 1000:
        raise UserError(f"--files is {bench.files}: it must be at least 1,000")
    bench.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bench.root) as folder:
        files, tenth = Path(folder, "files"), Path(folder, "tenth")
        bench.tell(f"writing {bench.files:,} files")
        classes = min(CLASSES, bench.files // 20)
        _write(files, bench.files, classes)
        _write(tenth, bench.files // 10, classes)
        yield from _speed(bench, files)
        name = f"{bench.files:,} files"
        (seconds,) = bench.in_turns({f"start, {name}": partial(_start, files)}).values()
        yield Row("large", f"start, {name} decoded before", f"{seconds:.2f} s", "", seconds, at_most=5, unit=" s")
        _start(tenth)  # where they are decoded
        sides = {f"fit, {name}": partial(_memory, files), "fit, a tenth of them": partial(_memory, tenth)}
        ours, less = bench.in_turns(sides).values()
        measured = f"{ours:.0f} MiB", f"{less:.0f} MiB"
        yield Row("large", f"memory of a fit, {name} and a tenth", *measured, ours / less, at_most=1.2)


def _speed(bench: Bench, root: Path) -> Iterator[Row]:
    """Images a second of training loaders: torchvision's of all cores, beside ours, in uint8, of which the device makes
    floats, and beside its own in uint8.
    """
    cores = {"shuffle": True, "num_workers": os.cpu_count() or 1}
    floats, uint8 = (
        DataLoader(ImageFolder(str(root), transform), BATCH_SIZE, **cores)
        for transform in (transforms.ToTensor(), transforms.PILToTensor())
    )
    count = min(BATCHES, bench.files * 8 // 10 // BATCH_SIZE)
    bench.tell(f"decoding {bench.files:,} files")
    begun = time.perf_counter()
    _made(root, cache=True)
    decoded = bench.files / (time.perf_counter() - begun)
    streamed = _made(root, memory_limit=0, cache=False, **GIVEN)
    sides = {
        "torchvision": lambda: images_a_second(floats, count),
        "torchvision, uint8": lambda: images_a_second(uint8, count),
        "streamed": lambda: images_a_second(streamed.train_dataloader(), count),
        "decoded before, on the disk": lambda: images_a_second(_forgotten(root).train_dataloader(), count),
        "decoded before, in the page cache": lambda: images_a_second(_known(root).train_dataloader(), count),
    }
    speeds = bench.in_turns(sides) | {"decoded now, into the file": decoded}
    theirs = speeds.pop("torchvision")
    for name, ours in speeds.items():
        least = 1.5 if name == "streamed" else None
        yield Row("large", name, f"{ours:,.0f} images/s", f"{theirs:,.0f} images/s", ours / theirs, least)


def _made(root: Path, **arguments: Any) -> ImageFolderDataModule:
    data = ImageFolderDataModule(root, image_size=SIDE, batch_size=BATCH_SIZE, **arguments)
    data.setup("fit")
    return data


def _start(root: Path) -> float:
    """Seconds until the first batch is there."""
    begun = time.perf_counter()
    next(iter(_made(root, cache=True).train_dataloader()))
    return time.perf_counter() - begun


def _known(root: Path) -> ImageFolderDataModule:
    """With images that are decoded already."""
    return _made(root, cache=True, **GIVEN)


def _forgotten(root: Path) -> ImageFolderDataModule:
    """Likewise, but the system holds none of them in memory: it would keep what is mapped."""
    gc.collect()
    data = _known(root)
    for path in (root / ".decoded").glob("*.npy"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return data


def _memory(root: Path) -> float:
    """The most memory of its own, in MiB, that a fit had; pages of the mapped file are shared, and don't count."""
    peak = 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "classifiers", "fit", *FIT, f"--data.root={root}"]
        command.append(f"--trainer.default_root_dir={folder}")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                with suppress(OSError, IndexError):  # it has just ended
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    peak = max(peak, int(re.findall(r"RssAnon:\s+(\d+)", status)[0]))
                time.sleep(0.02)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    return peak / 1024


def _write(folder: Path, count: int, classes: int) -> None:
    """So many JPEG files of noise over soft colours, about 20 KiB each."""
    draw, pictures = np.random.default_rng(0), []
    for _ in range(PICTURES):
        soft = Image.fromarray(draw.integers(256, size=(28, 28, 3), dtype=np.uint8)).resize((SIDE, SIDE))
        noise = draw.integers(-12, 12, (SIDE, SIDE, 3))
        content = io.BytesIO()
        Image.fromarray((np.asarray(soft) + noise).clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=90)
        pictures.append(content.getvalue())
    for label in range(classes):
        (folder / f"{label:03}").mkdir(parents=True)
    for index in range(count):
        (folder / f"{index % classes:03}" / f"{index:07}.jpg").write_bytes(pictures[index % PICTURES])
