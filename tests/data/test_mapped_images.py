import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.data.mapped_images import MappedImages, header

PIXELS = np.arange(5 * 3 * 2 * 2, dtype=np.uint8).reshape(5, 3, 2, 2)


@pytest.fixture
def mapped(tmp_path: Path) -> MappedImages:
    np.save(tmp_path / "x.npy", PIXELS)
    return MappedImages(tmp_path / "x.npy", PIXELS.shape, np.array([4, 0, 2]))


def test_rows_are_those_of_the_file_in_memory_of_their_own(mapped: MappedImages) -> None:
    images = mapped[torch.tensor([2, 0, 0])]
    assert torch.equal(images, torch.from_numpy(PIXELS[[2, 4, 4]]))
    images.zero_()
    assert mapped[torch.tensor([0])].sum() > 0
    assert len(mapped) == 3


def test_another_process_is_given_the_path_alone(mapped: MappedImages) -> None:
    mapped.rows = np.zeros(1, np.int64)
    content = pickle.dumps(mapped)
    assert len(content) < 1000
    assert torch.equal(pickle.loads(content)[torch.tensor([0])], torch.from_numpy(PIXELS[:1]))


def test_a_file_begins_as_numpy_saves_it(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", PIXELS)
    assert (tmp_path / "x.npy").read_bytes() == header(PIXELS.shape) + PIXELS.tobytes()


@pytest.mark.parametrize("whole", [(4, 3, 2, 2), (6, 3, 2, 2), (5, 3, 4, 1)])
def test_a_file_of_another_shape_is_refused(whole: tuple[int, ...], mapped: MappedImages) -> None:
    with pytest.raises(ValueError, match="^damaged$"):
        MappedImages(mapped.path, whole, mapped.rows)


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        MappedImages(tmp_path / "x.npy", (1, 3, 2, 2), np.zeros(1, np.int64))
    (tmp_path / "x.npy").touch()
    with pytest.raises(ValueError, match="empty"):
        MappedImages(tmp_path / "x.npy", (1, 3, 2, 2), np.zeros(1, np.int64))
