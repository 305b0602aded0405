from typing import Any

import numpy as np
import pytest
import rich
import torch
from PIL import Image
from rich.console import Console
from torch.utils.data import IterableDataset, TensorDataset

from classifiers.data import decoding
from classifiers.data.samples import read_samples
from classifiers.experiment.errors import UserError

IMAGES = torch.randint(256, (12, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
PICTURES = [Image.fromarray(image.movedim(0, 2).numpy()) for image in IMAGES]
KINDS: dict[str, list[Any]] = {
    "PIL": PICTURES,
    "uint8": list(IMAGES),
    "ToTensor": list(IMAGES / 255),
    "arrays": [np.asarray(picture) for picture in PICTURES],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("memory_limit", [4.0, 0.0], ids=["in memory", "decoded when asked for"])
def test_images_of_every_kind_give_the_same_bits(kind: str, memory_limit: float) -> None:
    images, labels = read_samples(list(zip(KINDS[kind], range(12), strict=True)), memory_limit)
    index = torch.tensor([11, 0, 0, 5])
    assert isinstance(images, torch.Tensor) == (memory_limit > 0)
    assert (len(images), labels) == (12, list(range(12)))
    assert torch.equal(images[index], IMAGES[index])


def test_samples_are_kept_in_memory_up_to_the_limit() -> None:
    size = IMAGES.numel() / 2**30
    dataset = TensorDataset(IMAGES, torch.arange(12))
    assert isinstance(read_samples(dataset, size)[0], torch.Tensor)
    samples, labels = read_samples(dataset, 0.999 * size)
    assert not isinstance(samples, torch.Tensor)
    assert labels == list(range(12))
    assert torch.equal(samples[torch.tensor([3, 7])], IMAGES[[3, 7]])


def test_a_picture_of_one_bit_is_grey() -> None:
    images, _ = read_samples([(Image.new("1", (4, 4), 1), 0), (Image.new("L", (4, 4), 7), 1)], 4.0)
    assert isinstance(images, torch.Tensor)
    assert images.flatten(1).unique(dim=1).tolist() == [[255], [7]]


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return 3


@pytest.mark.parametrize(
    ("dataset", "line"),
    [
        (Stream(), "Stream is empty or no map-style dataset with __len__ and __getitem__: give list(dataset)"),
        (iter([]), "list_iterator is empty or no map-style dataset with __len__ and __getitem__: give list(dataset)"),
        ([], "list is empty or no map-style dataset with __len__ and __getitem__: give list(dataset)"),
        ([IMAGES[0]], "sample 0 of list is a Tensor: it must be a pair (image, label)"),
        ([{"image": IMAGES[0]}], "sample 0 of list is a dict: it must be a pair (image, label)"),
        (
            [(PICTURES[0], 0), (PICTURES[1].convert("RGBA"), 1)],
            "sample 1 of list is an image of mode RGBA: give the dataset a transform to L or RGB",
        ),
        (
            [(IMAGES[0], 0), (IMAGES[1, :, 1:], 1)],
            "image 0 of list is (3, 8, 8) and image 1 is (3, 7, 8): give the dataset a transform that makes all alike, "
            "such as Resize((64, 64)), or write them to a folder for ImageFolderDataModule",
        ),
        (
            [(IMAGES[0], 0), (IMAGES[1].float(), 1)],
            f"the image of sample 1 of list: float32 from {IMAGES[1].min()} to {IMAGES[1].max()} can't be made "
            "uint8 exactly; leave out Normalize, which the model does, or round them to uint8 of 0 to 255 yourself",
        ),
    ],
)
def test_what_is_no_set_of_images_and_labels_is_refused(dataset: Any, line: str) -> None:
    for memory_limit in (4.0, 0.0):
        with pytest.raises(UserError) as error:
            read_samples(dataset, memory_limit)
        assert str(error.value) == line


def test_an_image_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="^the image of sample 0 of list must be an array of numbers: "):
        read_samples([("path.png", 0)], 4.0)


@pytest.mark.parametrize("terminal", [True, False])
def test_many_samples_have_a_progress_bar_on_a_terminal(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(decoding, "MANY", 12)
    monkeypatch.setattr(rich, "_console", Console(force_terminal=terminal))
    read_samples(TensorDataset(IMAGES, torch.arange(12)), 4.0)
    assert ("Reading 12 images" in capsys.readouterr().out) == terminal
