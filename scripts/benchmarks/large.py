"""Images in many files: how fast they come, how long a start takes, and what a fit of them keeps in memory."""

import gc
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

from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.jpegs import SIDE, write_jpegs
from benchmarks.loader import BATCH_SIZE, images_a_second
from benchmarks.measure import Bench, Row
from classifiers import ImageFolderDataModule, StreamDataModule
from classifiers.data.packing import write_pack
from classifiers.experiment.errors import UserError

CLASSES = 1000
GIVEN = {"mean": [0.5] * 3, "std": [0.25] * 3}  # so that no start computes them
LEAST = {"streamed": 1.5, "decoded before, in the page cache": 20}
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
        write_jpegs(files, bench.files, classes)
        write_jpegs(tenth, bench.files // 10, classes)
        bench.tell(f"packing {bench.files:,} files")
        write_pack(files, Path(folder, "pack"))
        yield from _speed(bench, files, Path(folder, "pack"))
        name = f"{bench.files:,} files"
        (seconds,) = bench.in_turns({f"start, {name}": partial(_start, files)}).values()
        yield Row("large", f"start, {name} decoded before", f"{seconds:.2f} s", "", seconds, at_most=5, unit=" s")
        _start(tenth)  # where they are decoded
        sides = {f"fit, {name}": partial(_memory, files), "fit, a tenth of them": partial(_memory, tenth)}
        ours, less = bench.in_turns(sides).values()
        measured = f"{ours:.0f} MiB", f"{less:.0f} MiB"
        yield Row("large", f"memory of a fit, {name} and a tenth", *measured, ours / less, at_most=1.2)


def _speed(bench: Bench, root: Path, pack: Path) -> Iterator[Row]:
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
    packed = StreamDataModule(pack, image_size=SIDE, batch_size=BATCH_SIZE, memory_limit=0, **GIVEN)
    packed.setup("fit")
    sides = {
        "torchvision": lambda: images_a_second(floats, count),
        "torchvision, uint8": lambda: images_a_second(uint8, count),
        "streamed": lambda: images_a_second(streamed.train_dataloader(), count),
        "packed by litdata": lambda: images_a_second(packed.train_dataloader(), count),
        "decoded before, on the disk": lambda: images_a_second(_forgotten(root).train_dataloader(), count),
        "decoded before, in the page cache": lambda: images_a_second(_known(root).train_dataloader(), count),
    }
    speeds = bench.in_turns(sides) | {"decoded now, into the file": decoded}
    theirs = speeds.pop("torchvision")
    for name, ours in speeds.items():
        measured = f"{ours:,.0f} images/s", f"{theirs:,.0f} images/s"
        yield Row("large", name, *measured, ours / theirs, LEAST.get(name))


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
