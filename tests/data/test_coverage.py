import pytest
import torch

from classifiers import ArrayDataModule
from classifiers.data.coverage import counts, of_counts, remarks, scarce
from classifiers.data.decoding import ImageFiles
from classifiers.data.file_paths import FilePaths
from classifiers.data.image_dataset import ImageDataset

NAMES = ("cat", "dog", "emu")


def found(part: str, *counts: int) -> list[str]:
    return [*of_counts(part, torch.tensor(counts), NAMES)]


@pytest.mark.parametrize(("part", "what"), [("train", "train"), ("val", "validate"), ("test", "test")])
def test_a_class_that_no_image_shows_is_named(part: str, what: str) -> None:
    assert found(part, 300, 0, 300) == [f"no image to {what} on shows dog: no metric tells of that"]
    assert found(part, 300, 200, 300) == []


def test_of_many_classes_without_images_some_are_named() -> None:
    (line,) = of_counts("val", torch.tensor([1] + [0] * 8), [f"c{number}" for number in range(9)])
    assert line == "no image to validate on shows c1, c2, c3, c4, c5 and 3 more: no metric tells of that"


def test_strong_imbalance_is_told_of_what_is_trained_on() -> None:
    assert found("train", 900, 90, 100) == []
    told = "cat has 9,000 images to train on, dog 12, 750 times less: macro_f1 tells more than accuracy; "
    cure = "--model.class_weights balanced or --data.balanced true make all classes count alike"
    assert found("train", 9000, 12, 100) == [told + cure]
    assert found("test", 9000, 12, 100) == []


def test_a_test_of_few_images_is_called_what_it_is() -> None:
    assert found("test", 1, 1, 1) == ["there are 3 images to test on: each is 33.3% of the accuracy"]
    assert found("test", 50, 50, 1) == []


def test_classes_of_few_images_to_train_on_are_named() -> None:
    assert [*scarce([10, 9, 0], NAMES)] == ["classes of fewer than 10 images to train on: dog 9"]
    assert [*scarce([10, 11, 0], NAMES)] == []
    (line,) = scarce([*range(9, 2, -1)], "abcdefg")
    assert line == "classes of fewer than 10 images to train on: g 3, f 4, e 5, d 6, c 7 and 2 more"


def test_a_data_module_tells_it_at_the_start() -> None:
    labels = torch.tensor([0] * 180 + [1] * 2 + [2] * 1)
    images = torch.randint(256, (183, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    data = ArrayDataModule(images, labels, class_names=NAMES)
    data.setup("fit")
    data.setup("test")
    cats = counts(data.train_set, 3)[0]
    train = f"cat has {cats} images to train on, dog 1, {cats} times less: macro_"
    assert data.panel_rows()["beware"].splitlines()[0].startswith(train)
    assert data.panel_rows()["beware"].splitlines()[1] == (
        "no image to validate on shows dog, emu: no metric tells of that"
    )
    assert data.remarks("test")[0] == "no image to test on shows emu: no metric tells of that"


def set_of(numbers: list[int], labels: list[int]) -> ImageDataset:
    images = torch.tensor(numbers, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 3, 3).contiguous()
    return ImageDataset(images, torch.tensor(labels), torch.arange(len(numbers)))


def test_copies_of_images_that_are_trained_on_are_told() -> None:
    train, val = set_of([1, 2, 3] * 50, [0, 1, 2] * 50), set_of([9, 3, 8, 3, 1], [0, 2, 1, 2, 0])
    line = "3 of the 5 images to validate on are copies of some to train on: inspect lists them"
    assert list(remarks("val", val, train, NAMES)) == [line]
    assert list(remarks("val", val, None, NAMES)) == list(remarks("train", train, train, NAMES)) == []


def test_copies_in_two_classes_are_told() -> None:
    train = set_of([1, 2, 3, 1, 2, 1], [0, 1, 2, 0, 2, 0])
    assert list(remarks("train", train, train, NAMES)) == ["2 images to train on are copies of one of another class"]


def test_images_that_are_not_in_memory_are_not_compared() -> None:
    train = set_of([1, 1], [0, 1])
    train.images = ImageFiles(FilePaths.of("", ["a.png", "b.png"]), (1, 3, 3))
    assert list(remarks("val", train, train, NAMES[:2])) == []
