"""The device is torch's "meta", which has no memory, in place of an accelerator."""

import pytest
import torch

from classifiers.data import on_device
from classifiers.data.image_dataset import ImageDataset
from classifiers.data.on_device import OnDevice
from classifiers.experiment.errors import UserError
from tests.small_models import synthetic

CPU, ACCELERATOR = torch.device("cpu"), torch.device("meta")
IMAGES = torch.zeros(100, 1, 4, 4, dtype=torch.uint8)  # 1,600 bytes
TRAIN, VAL = (ImageDataset(IMAGES, torch.zeros(100), indices) for indices in torch.arange(100).split(90))


class Files:
    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: torch.Tensor, /) -> torch.Tensor:
        return IMAGES[index]


STREAMED = ImageDataset(Files(), torch.zeros(100), torch.arange(100))


def free(monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    monkeypatch.setattr(on_device, "free_memory", lambda device: memory)


def test_images_are_put_there_once_for_all_their_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 3200)
    put = OnDevice(ACCELERATOR, None)
    train, val = put(TRAIN, 0), put(VAL, 0)
    assert train.images is val.images
    assert train.labels is val.labels
    assert {part.device.type for part in (train.images, train.labels, train.indices)} == {"meta"}  # type: ignore[union-attr]
    assert (len(train), len(val)) == (90, 10)
    assert TRAIN.images is IMAGES
    assert put
    assert str(put) == "0 MiB of them on meta"


@pytest.mark.parametrize(
    ("device", "wanted", "images", "workers", "memory", "there"),
    [
        (ACCELERATOR, None, TRAIN, 0, 3200, True),
        (ACCELERATOR, None, TRAIN, 0, 3199, False),
        (ACCELERATOR, True, TRAIN, 0, 0, True),
        (ACCELERATOR, False, TRAIN, 0, 3200, False),
        (ACCELERATOR, None, TRAIN, 1, 3200, False),
        (ACCELERATOR, None, STREAMED, 0, 3200, False),
        (CPU, True, TRAIN, 0, 3200, False),
        (CPU, None, TRAIN, 0, 3200, False),
    ],
)
def test_where_there_is_one_that_has_room_and_nothing_speaks_against_it(
    device: torch.device,
    wanted: bool | None,
    images: ImageDataset,
    workers: int,
    memory: int,
    there: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free(monkeypatch, memory)
    put = OnDevice(device, wanted)
    placed = put(images, workers)
    assert (placed is not images) == bool(put) == there


@pytest.mark.parametrize(
    ("images", "workers", "line"),
    [
        (
            STREAMED,
            0,
            r"on_device true: Files reads each batch, .* in memory as a whole: leave it out",
        ),
        (TRAIN, 2, r"on_device true: 2 workers serve them, .*: --data.num_workers 0"),
    ],
)
def test_it_is_a_mistake_to_want_what_cannot_be(images: ImageDataset, workers: int, line: str) -> None:
    with pytest.raises(UserError, match=line):
        OnDevice(ACCELERATOR, True)(images, workers)


def test_the_panel_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = synthetic()
    data.setup("fit")
    assert data.panel_rows()["images"] == "360 to train, 40 to validate"
    free(monkeypatch, 10**9)
    data.placed = OnDevice(ACCELERATOR, None)
    data.placed(data.train_set, 0)
    assert data.panel_rows()["images"] == "360 to train, 40 to validate, 0 MiB of them on meta"
    data.teardown("fit")
    assert data.placed is None
