import re

import numpy as np
import pytest
import torch
from torchvision.transforms.v2.functional import normalize, to_dtype

from classifiers.data import pixels
from classifiers.data.pixels import as_tensor, as_uint8, channels_first
from classifiers.experiment.errors import UserError

ALL = torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)


@pytest.fixture(autouse=True)
def _in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "CHUNK", 3 * 64)


def test_uint8_is_taken_as_it_is() -> None:
    assert as_uint8(ALL) is ALL
    assert as_uint8(torch.zeros(0, 1, 8, 8)).dtype == torch.uint8


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_floats_of_eight_bits_in_0_to_1_are_white_at_1(dtype: torch.dtype) -> None:
    assert torch.equal(as_uint8(to_dtype(ALL, dtype, scale=True)), ALL)
    assert torch.equal(as_uint8(ALL.to(dtype) * (1 / 255)), ALL)
    assert as_uint8(torch.tensor([[0, 1]], dtype=dtype)).tolist() == [[0, 255]]
    assert as_uint8(torch.zeros(1, 2, dtype=dtype)).tolist() == [[0, 0]]


@pytest.mark.parametrize("dtype", [torch.int16, torch.uint16, torch.int64, torch.float32, torch.bfloat16])
def test_whole_numbers_up_to_255_are_taken_as_they_are(dtype: torch.dtype) -> None:
    assert torch.equal(as_uint8(ALL.to(dtype)), ALL)
    assert as_uint8(torch.tensor([[0, 1, 2]]).to(dtype)).tolist() == [[0, 1, 2]]


def test_true_is_white() -> None:
    assert as_uint8(torch.tensor([[False, True]])).tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("images", "values"),
    [
        (normalize(ALL / 255, [0.5], [0.5]), "float32 from -1 to 1"),
        (torch.tensor([[0.0, 1.0], [0.5, 0.25]]), "float32 from 0 to 1"),
        (torch.tensor([[0.0, 0.5, 200.0]]), "float32 from 0 to 200"),
        (torch.tensor([[0.0, torch.nan, 1.0]]), "float32 from nan to nan"),
        (torch.tensor([[0.0, torch.inf]]), "float32 from 0 to inf"),
        (ALL.to(torch.uint16) * 257, "uint16 from 0 to 65535"),
        (ALL.long() - 1, "int64 from -1 to 254"),
        (torch.tensor([[0, 1]]), "int64 from 0 to 1"),
    ],
)
def test_what_is_not_eight_bits_for_certain_is_refused(images: torch.Tensor, values: str) -> None:
    line = f"images: {values} can't be made uint8 exactly; leave out Normalize, which the model does, or round"
    with pytest.raises(UserError, match=f"^{re.escape(line)}"):
        as_uint8(images)


def test_a_part_of_a_data_set_may_be_held_to_floats_in_0_to_1() -> None:
    assert as_uint8(torch.ones(1), highest=1).tolist() == [255]
    with pytest.raises(UserError, match="^it: float32 from 0 to 255 can't"):
        as_uint8(ALL.float(), "it", highest=1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [2, 4, 32])
def test_the_shape_tells_the_layout(channels: int, size: int) -> None:
    images = torch.arange(2 * channels * size**2).view(2, channels, size, size)
    assert torch.equal(channels_first(images), images)
    assert torch.equal(channels_first(images.movedim(1, 3)), images)
    assert channels_first(images.movedim(1, 3)).is_contiguous()
    assert torch.equal(channels_first(images[:, 0]), images[:, :1])


@pytest.mark.parametrize("shape", [(2, 3, 3, 3), (5, 4, 8, 8), (5, 8, 8, 4), (5, 3, 8, 6), (5, 8, 6), (8, 8), (5,)])
def test_a_shape_that_may_be_two_or_none_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"^images have the shape \(.*\): it must be \(N, C, H, W\), \(N, H, W, C\) or"):
        channels_first(torch.zeros(shape))


def test_arrays_of_any_kind_are_numbers() -> None:
    array = np.arange(6, dtype=np.uint8)
    array.flags.writeable = False
    for values in (array, array[::-1][::-1], array.tolist(), torch.arange(6.0, requires_grad=True)):
        assert as_tensor(values, "it").tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("values", [None, "text", [[1], [2, 3]], np.array([{}])])
def test_what_has_no_numbers_is_refused(values: object) -> None:
    with pytest.raises(UserError, match="^it must be an array of numbers: "):
        as_tensor(values, "it")
