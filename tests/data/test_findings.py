import csv
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from classifiers import ArrayDataModule, ImageFolderDataModule
from classifiers.data import ImageDataModule
from classifiers.data.findings import Finding, Image, of_sizes, told, write_findings
from classifiers.data.inspection import inspect_data
from tests.data.test_lookalikes import scenes, smaller
from tests.photos import write_photos


def found(data: ImageDataModule) -> list[Finding]:
    data.setup("fit")
    data.setup("test")
    return inspect_data(data).findings


@pytest.mark.parametrize(
    "streamed", [{}, {"memory_limit": 0, "cache": False, "num_workers": 2}], ids=["in memory", "streamed"]
)
def test_files_are_named(streamed: dict[str, int], tmp_path: Path) -> None:
    images = scenes(12)
    images[9], images[10], images[11] = images[0], smaller(images[1]), 77
    for index, image in enumerate(images):
        path = tmp_path / ("train" if index < 9 else "test") / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(image.movedim(0, 2).numpy()).resize([(48, 48), (500, 500)][index == 8]).save(path)
    data = ImageFolderDataModule(tmp_path, image_size=48, val_size=2, **streamed)  # type: ignore[arg-type]
    parts = {name: part for part in ("train", "val") for name in images_of(data, part)}

    def named(index: int) -> Image:
        part = "train" if index < 9 else "test"
        path = str(tmp_path / part / "ab"[index % 2] / f"{index}.png")
        return Image(parts.get(path, "test"), path, "ab"[index % 2])

    assert found(data) == [
        Finding("copies", (named(0), named(9))),
        Finding("alike", (named(1), named(10))),
        Finding("one colour", (named(11),)),
        Finding("large", (named(8),)),
    ]


def images_of(data: ImageFolderDataModule, part: str) -> list[str]:
    data.setup("fit")
    return [str(path) for path in data.train_paths[getattr(data, f"{part}_set").indices.numpy()]]


def test_images_without_files_are_named_by_their_places() -> None:
    images = scenes(40)
    images[7], test = images[30], images[[3, 5]].clone()
    data = ArrayDataModule(images, torch.arange(40) % 2, (test, torch.tensor([1, 1])), validate_on_test=True)
    findings = found(data)
    assert [(finding.what, [image.part for image in finding.images]) for finding in findings] == [
        ("copies", ["train", "train"]),
        ("copies", ["train", "test"]),
        ("copies", ["train", "test"]),
    ]
    for finding in findings:
        first, second = (
            (data.test_set if image.part == "test" else data.train_set).images[int(image.name)]  # type: ignore[index]
            for image in finding.images
        )
        assert torch.equal(first, second)
    assert [image.name for finding in findings[1:] for image in finding.images[1:]] == ["0", "1"]


def test_sizes_far_from_the_median_are_told() -> None:
    images = [Image("train", str(index), "a") for index in range(5)]
    findings = [*of_sizes(images, np.array([100, 1000, 10, 100, 11]))]
    assert [(what, image.name) for what, (image,) in findings] == [("small", "2"), ("large", "1")]


def test_findings_are_counted_and_written() -> None:
    one, other, third = Image("train", "a.png", "cat"), Image("test", "b\udcff.png", "cat"), Image("train", "c", "dog")
    findings = [Finding("alike", (one, other)), Finding("alike", (one, third)), Finding("small", (one,))]
    assert [*told(findings)] == [
        "pairs of images that look alike: 2, of two parts: 1",
        "files of 10 times fewer pixels than usual: 1",
    ]
    file = io.BytesIO()
    write_findings(file, findings)
    rows = [*csv.reader(io.StringIO(file.getvalue().decode(errors="surrogateescape")))]
    assert rows == [
        ["finding", "part", "image", "class", "other part", "other image", "other class"],
        ["alike", "train", "a.png", "cat", "test", "b\udcff.png", "cat"],
        ["alike", "train", "a.png", "cat", "train", "c", "dog"],
        ["small", "train", "a.png", "cat"],
    ]


def test_copies_of_test_images_are_told_at_the_start(tmp_path: Path) -> None:
    write_photos(tmp_path / "train", 20)
    write_photos(tmp_path / "test", 3)  # the first three dark ones of those
    data = ImageFolderDataModule(tmp_path, image_size=12, split_seed=1)
    data.setup("fit")
    among = len({path.split("/train/")[1] for path in images_of(data, "train")}
                & {path.split("/test/")[1] for path in data.test_paths if "/dark/" in path})  # fmt: skip
    line = f"{among} of the 6 images to test on are copies of some to train on: inspect lists them"
    assert among > 1
    assert line in data.panel_rows()["beware"]
