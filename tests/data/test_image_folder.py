import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from classifiers import CIFAR10DataModule, ImageFolderDataModule, load_classifier
from classifiers.data import file_data_module, loaders
from classifiers.data.image_files import read_image
from classifiers.data.inspection import inspect_data
from classifiers.experiment.errors import UserError
from tests.conftest import REAL_DATA, SMALL, Cli, Promise
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.photos import write_photos
from tests.processes import finished, start

Fails = Callable[..., str]
STREAMED = {"memory_limit": 0, "cache": False, "num_workers": 2}
MAPPED = {"memory_limit": 0}
KINDS = pytest.mark.parametrize("kind", [{}, STREAMED, MAPPED], ids=["in memory", "streamed", "mapped"])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 50)


def made(root: Path, **arguments: Any) -> ImageFolderDataModule:
    data = ImageFolderDataModule(root, **{"image_size": 12, "batch_size": 16, **arguments})
    data.setup("fit")
    data.setup("test")
    return data


@KINDS
def test_a_folder_is_split_by_class(photos: Path, kind: dict[str, Any]) -> None:
    data = made(photos, test_size=0.2, val_size=10, **kind)
    assert (data.class_names, data.num_classes, data.image_shape) == (("dark", "light"), 2, (3, 12, 12))
    found = inspect_data(data)
    assert found.per_class == {"train": [40, 40], "val": [3, 3], "test": [7, 7]}
    images = [image.numpy().tobytes() for split in (data.train_set, data.val_set, data.test_set)
              for image in split.first(100)[0]]  # fmt: skip
    assert len(set(images)) == 100


def test_the_first_training_images_are_of_all_classes(photos: Path) -> None:
    assert made(photos).train_set.first(8)[1].bincount().tolist() == [4, 4]


@KINDS
def test_splits_with_folders_of_their_own_are_kept(tmp_path: Path, kind: dict[str, Any]) -> None:
    for split, count in (("train", 20), ("val", 6), ("test", 4)):
        write_photos(tmp_path / split, count)
    data = made(tmp_path, **kind)
    for split, images in (("train", data.train_set), ("val", data.val_set), ("test", data.test_set)):
        expected = {read_image(path, (3, 12, 12)).numpy().tobytes() for path in (tmp_path / split).rglob("*.*")}
        assert {image.numpy().tobytes() for image in images.first(99)[0]} == expected


def test_training_and_test_images_alone_are_split_from_training_images(tmp_path: Path) -> None:
    write_photos(tmp_path / "train", 20)
    write_photos(tmp_path / "test", 4)
    assert inspect_data(made(tmp_path)).per_class == {"train": [19, 19], "val": [1, 1], "test": [4, 4]}
    on_test = made(tmp_path, validate_on_test=True)
    assert [len(split) for split in (on_test.train_set, on_test.val_set, on_test.test_set)] == [40, 8, 8]


def test_the_split_seed_draws_the_split(photos: Path) -> None:
    test, again, other = (made(photos, split_seed=seed).test_set.first(10)[0] for seed in (0, 0, 1))
    assert torch.equal(test, again)
    assert not torch.equal(test, other)


@KINDS
def test_all_kinds_give_the_same_batches(photos: Path, kind: dict[str, Any]) -> None:
    memory, other = made(photos, one_hot=True), made(photos, one_hot=True, **kind)
    assert (memory.num_workers, memory.mean, memory.std) == (0, other.mean, other.std)
    for name in ("train", "val", "test"):
        loaders = [getattr(data, f"{name}_dataloader")() for data in (memory, other)]
        for (images, labels), (others, other_labels) in zip(*loaders, strict=True):
            assert torch.equal(images, others)
            assert torch.equal(labels, other_labels)
            assert images.dtype == torch.uint8


def test_sets_beyond_the_memory_limit_are_streamed_by_workers(photos: Path) -> None:
    size = 100 * 3 * 12 * 12
    assert isinstance(made(photos, memory_limit=size / 2**30).train_set.images, torch.Tensor)
    streamed = made(photos, memory_limit=(size - 1) / 2**30, cache=False)
    assert not isinstance(streamed.train_set.images, torch.Tensor)
    assert streamed.train_dataloader().num_workers == min(8, os.cpu_count() or 1)
    assert made(photos, **{**STREAMED, "num_workers": 0}).train_dataloader().num_workers == 0


def test_workers_are_no_more_than_shared_memory_allows(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaders, "free_memory", lambda: 0)
    assert made(photos, **{**STREAMED, "num_workers": None}).train_dataloader().num_workers == 0
    with pytest.raises(UserError, match="--data.num_workers 2 needs .* take 0"):
        made(photos, **STREAMED).train_dataloader()


@KINDS
@pytest.mark.parametrize("channels", [1, 3])
def test_mean_and_std_are_those_of_the_training_images(photos: Path, kind: dict[str, Any], channels: int) -> None:
    data = made(photos, in_channels=channels, **kind)
    pixels = torch.cat([data.train_set.first(100)[0], data.val_set.first(100)[0]]).double() / 255
    assert len(pixels) == 92
    assert data.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist())
    assert data.std == pytest.approx(pixels.std((0, 2, 3)).tolist())
    found = inspect_data(data)
    assert (found.mean, found.std) == (pytest.approx(data.mean), pytest.approx(data.std))
    given = ImageFolderDataModule(photos, in_channels=channels, mean=[0.1] * channels)
    assert (given.mean, len(given.std)) == ([0.1] * channels, channels)


def test_mean_and_std_of_many_images_are_those_of_a_sample(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_data_module, "SAMPLE", 20)
    data = made(photos)
    pixels = data.train_set.first(20)[0].double() / 255
    assert data.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist())


@KINDS
def test_unreadable_images_are_named_before_training(photos: Path, kind: dict[str, Any]) -> None:
    (photos / "dark/000.png").write_bytes(b"")
    (photos / "light/049.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match="^2 of 100 images can't be used: .*/dark/000.png is.*/light/049.jpg is"):
        ImageFolderDataModule(photos, **kind)


def test_an_image_that_is_found_damaged_by_a_worker_is_one_line(photos: Path) -> None:
    path = photos / "dark/001.jpg"
    Image.new("RGB", (300, 300)).save(path)
    data = made(photos, mean=[0.5] * 3, std=[0.5] * 3, **STREAMED)
    path.write_bytes(path.read_bytes()[:900])
    loaders = [data.train_dataloader(), data.val_dataloader(), data.test_dataloader()]
    with pytest.raises(UserError, match=f"^{path} can't be read: .*truncated"):
        list(itertools.chain(*loaders))
    for loader in loaders:
        if loader._iterator:
            loader._iterator._shutdown_workers()  # type: ignore[attr-defined]  # left to the garbage, it takes 5 s each


def test_an_image_of_no_size_is_refused(photos: Path) -> None:
    with pytest.raises(UserError, match="--data.image_size is 0: it must be at least 1"):
        ImageFolderDataModule(photos, image_size=0)


def options(photos: Path) -> list[str]:
    """Of a fit of 5 steps an epoch; it replaces the data of SMALL."""
    data = ["--data=ImageFolderDataModule", f"--data.root={photos}", "--data.batch_size=16", "--data.test_size=0.2"]
    return [*data, "--data.augmentations=[{class_path: RandomCrop}, {class_path: RandomHorizontalFlip}]"]


STREAM = ["--data.memory_limit=0", "--data.cache=false", "--data.num_workers=2"]
MAP = ["--data.cache=true"]
FILES = pytest.mark.parametrize("kind", [STREAM, MAP], ids=["streamed", "mapped"])


@FILES
def test_a_fit_is_the_fit_in_memory_to_the_last_bit(kind: list[str], photos: Path, fit: Cli) -> None:
    memory, other = fit(*options(photos)), fit(*options(photos), *kind)
    assert differences(content(memory), content(other)) == []
    assert json.loads((memory / "metrics.json").read_text())["test/acc"] > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "then"),
    [(STREAM, []), (MAP, []), (STREAM, [*MAP, "--data.num_workers=0"]), ([*MAP, "--data.num_workers=2"], STREAM)],
    ids=["streamed", "mapped", "streamed, then mapped", "mapped by workers, then streamed"],
)
def test_a_killed_fit_goes_on_as_if_it_had_never_stopped(
    kind: list[str], then: list[str], photos: Path, tmp_path: Path
) -> None:
    fit = ["fit", *SMALL, *options(photos), *kind, "--last_checkpoint.every_n_steps=2"]
    fit += ["--trainer.default_root_dir=runs", "--trainer.max_epochs=3"]
    finished(tmp_path / "whole", *fit)
    kill = ["--trainer.callbacks+=tests.instruments.Kill", "--trainer.callbacks.hook=on_train_batch_end",
            "--trainer.callbacks.step=8", f"--trainer.callbacks.once={tmp_path / 'once'}"]  # fmt: skip
    assert start(tmp_path / "killed", *fit, *kill).wait() == -signal.SIGKILL
    finished(tmp_path / "killed", "fit", f"--resume={run_of(tmp_path / 'killed')}", *then)
    assert differences(content(run_of(tmp_path / "whole")), content(run_of(tmp_path / "killed"))) == []


def two_processes(folder: Path, photos: Path, *arguments: str) -> Path:
    """The run of a fit on two processes."""
    folder.mkdir(exist_ok=True)
    two = ["--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.default_root_dir=runs", "--data.image_size=16"]
    command = [sys.executable, "-m", "classifiers", "fit", *SMALL, *options(photos), *arguments, *two]
    subprocess.run(command, cwd=folder, check=True)
    return run_of(folder)


@pytest.mark.slow
@FILES
def test_two_processes_test_every_image_once(kind: list[str], photos: Path, tmp_path: Path) -> None:
    Path(made(photos, test_size=0.2).test_paths[0]).unlink()
    run = two_processes(tmp_path, photos, *kind)
    data = made(photos, image_size=16, test_size=0.2)
    model = load_classifier(run / "checkpoints/best.ckpt", "cpu")
    assert model.class_names == data.class_names
    correct = (model(data.test_set.images).argmax(1) == data.test_set.labels).sum()
    count = len(data.test_set.labels)
    assert count % 2 == 1
    assert json.loads((run / "metrics.json").read_text())["test/acc"] == correct.div(count).item()


@pytest.mark.slow
@FILES
def test_two_processes_get_the_weights_of_the_images_in_memory(kind: list[str], photos: Path, tmp_path: Path) -> None:
    memory, other = (two_processes(tmp_path / name, photos, *given) for name, given in (("a", []), ("b", kind)))
    assert differences(content(memory), content(other)) == []


def test_the_folder_of_decoded_images_is_the_same_from_anywhere(photos: Path, fit: Cli, tmp_path: Path) -> None:
    run = fit(*options(photos), "--data.cache=kept", "--trainer.max_epochs=1")
    assert len(list((tmp_path / "kept").glob("*.npy"))) == 1
    finished(tmp_path / "elsewhere", "fit", f"--resume={run}", "--trainer.max_epochs=2")
    assert not (tmp_path / "elsewhere/kept").exists()


def test_a_mistake_in_the_folder_is_one_line(photos: Path, fails: Fails) -> None:
    data = ["fit", "--data=ImageFolderDataModule"]
    assert "root" in fails(*data)
    assert fails(*data, f"--data.root={photos / 'dark'}").endswith("two or more classes, and has none")
    assert fails(*data, f"--data.root={photos}", "--data.in_channels=2").endswith("not '2'")
    (photos / "dark/000.png").write_bytes(b"")
    assert fails(*data, f"--data.root={photos}").startswith("error: 1 of 100 images can't be used: ")


def hashes(images: Any, labels: torch.Tensor) -> Counter[tuple[bytes, int]]:
    pairs = zip(images, labels.tolist(), strict=True)
    return Counter((hashlib.sha256(image.numpy()).digest(), label) for image, label in pairs)


@pytest.mark.slow
@pytest.mark.skipif(not (REAL_DATA / "cifar-10-batches-py").exists(), reason="data/ has no CIFAR-10")
def test_cifar10_as_files_is_the_same_in_memory_and_streamed(tmp_path: Path, promise: Promise) -> None:
    cifar10 = CIFAR10DataModule()
    official = [cifar10.load(train) for train in (True, False)]
    for split, (images, labels) in zip(("train", "test"), official, strict=True):
        for name in cifar10.class_names:
            (tmp_path / split / name).mkdir(parents=True)
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            path = tmp_path / split / cifar10.class_names[label] / f"{index:05}.png"
            Image.fromarray(image.movedim(0, 2).numpy()).save(path)
    memory, streamed = (made(tmp_path, image_size=32, batch_size=128, **kind) for kind in ({}, STREAMED))
    for split, (images, labels) in zip((memory.train_set, memory.test_set), official, strict=True):
        assert hashes(split.images, split.labels) == hashes(images, labels)
    count = 0
    for name in ("train", "val", "test"):
        loaders = [getattr(data, f"{name}_dataloader")() for data in (memory, streamed)]
        for (images, labels), (others, other_labels) in zip(*loaders, strict=True):
            assert torch.equal(images, others)
            assert torch.equal(labels, other_labels)
            count += len(images)
    assert count == 60_000
    promise(f"Image folder: {count:,} PNG files of CIFAR-10 give the same batches in memory and streamed")


@KINDS
def test_unreadable_images_are_left_out_if_that_is_asked_for(
    photos: Path, kind: dict[str, Any], tmp_path: Path
) -> None:
    before = made(photos)
    (photos / "dark/000.png").write_bytes(b"")
    jpeg = photos / "light/007.jpg"
    jpeg.write_bytes(jpeg.read_bytes()[:-20])
    data = made(photos, skip_unreadable=True, **kind)
    assert data.panel_rows()["left out"] == f"2 unreadable, as in {tmp_path}/unreadable_images.txt"
    assert len((tmp_path / "unreadable_images.txt").read_text().splitlines()) == 2
    for part in ("train", "val", "test"):
        assert set(data.known(part).tolist()) <= set(before.known(part).tolist())
    assert sum(len(data.known(part)) for part in ("train", "val", "test")) == 98


@KINDS
def test_an_image_is_known_by_its_class_name_and_size(photos: Path, kind: dict[str, Any], tmp_path: Path) -> None:
    data = made(photos, **kind)
    known = {part: set(data.known(part).tolist()) for part in ("train", "val", "test")}
    assert len(set.union(*known.values())) == 100
    moved = photos.rename(tmp_path / "elsewhere")
    assert {part: set(made(moved).known(part).tolist()) for part in known} == known
    on_test = made(moved, validate_on_test=True)
    assert set(on_test.known("train").tolist()) == known["train"] | known["val"]
    assert set(on_test.known("val").tolist()) == known["test"]


def test_what_is_left_out_is_told(photos: Path) -> None:
    (photos / "dark/x.heic").touch()
    (photos / "light/.ipynb_checkpoints").mkdir()
    (photos / "light/.ipynb_checkpoints/000.png").touch()
    assert made(photos).panel_rows()["left out"] == "1 .heic, 1 hidden"
