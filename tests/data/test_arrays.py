import itertools
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, Subset, TensorDataset
from torchvision.datasets import FakeData
from torchvision.transforms import ToTensor

from classifiers import ArrayDataModule
from classifiers.data import arrays
from classifiers.data.image_data_module import ImageDataModule
from classifiers.data.image_dataset import ImageDataset
from classifiers.data.inspection import inspect_data
from classifiers.experiment.errors import UserError
from tests.small_models import small, synthetic, trained

DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(256, size=(200, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(200) % 4
TEST = IMAGES[:20, ::-1], LABELS[:20]


def made(images: Any = IMAGES, labels: Any = LABELS, **arguments: Any) -> ArrayDataModule:
    return ready(ArrayDataModule(images, labels, **arguments))


def ready(data: Any) -> Any:
    data.setup("fit")
    data.setup("test")
    return data


def splits(data: ImageDataModule) -> tuple[ImageDataset, ImageDataset, ImageDataset]:
    return data.train_set, data.val_set, data.test_set


def content(data: ImageDataModule) -> list[list[tuple[bytes, int]]]:
    """The images of each split, and their labels."""
    return [[(image.numpy().tobytes(), int(label)) for image, label in split] for split in splits(data)]


def test_arrays_are_split_by_class_into_disjoint_parts() -> None:
    data = made(test_size=0.2, val_size=40)
    assert (data.class_names, data.image_shape) == (("0", "1", "2", "3"), (3, 8, 8))
    assert inspect_data(data).per_class == {"train": [26, 31, 26, 29], "val": [16, 14, 10, 7], "test": [8, 5, 14, 14]}
    expected = {(image.transpose(2, 0, 1).tobytes(), int(label)) for image, label in zip(IMAGES, LABELS, strict=True)}
    assert sorted(itertools.chain(*content(data))) == sorted(expected)
    assert content(data) == content(made(test_size=0.2, val_size=40))
    assert content(data) != content(made(test_size=0.2, val_size=40, split_seed=1))


def test_test_images_that_are_given_are_kept() -> None:
    data = made(test=TEST)
    assert [len(split) for split in splits(data)] == [181, 19, 20]
    assert torch.equal(data.test_set.first(20)[0], torch.from_numpy(TEST[0].copy()).movedim(3, 1))
    assert data.test_set.labels.tolist() == LABELS[:20].tolist()
    on_test = made(test=TEST, validate_on_test=True)
    assert [len(split) for split in splits(on_test)] == [200, 20, 20]


@pytest.mark.parametrize(
    "images",
    [
        IMAGES.transpose(0, 3, 1, 2),
        torch.from_numpy(IMAGES),
        IMAGES.astype(np.float32),
        IMAGES / 255,
        IMAGES.astype(np.uint16),
        IMAGES.tolist(),
    ],
)
def test_every_layout_and_type_gives_the_same_bits(images: Any) -> None:
    assert content(made(images)) == content(made())


def test_grey_images_need_no_channel() -> None:
    data = made(IMAGES[..., 0])
    assert data.image_shape == (1, 8, 8)
    assert content(data) == content(made(IMAGES[..., :1]))


def test_mean_and_std_are_those_of_the_images_to_train_and_validate_on() -> None:
    data = made()
    pixels = torch.cat([data.train_set.first(200)[0], data.val_set.first(200)[0]]).double() / 255
    assert len(pixels) == 176
    assert data.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist())
    assert data.std == pytest.approx(pixels.std((0, 2, 3)).tolist())
    given = made(mean=[0.1, 0.2, 0.3])
    assert (given.mean, given.std) == ([0.1, 0.2, 0.3], data.std)


NAMES = np.array(["cat", "dog", "eel", "fox"])


@pytest.mark.parametrize("names", [NAMES, NAMES.astype(object)])
def test_labels_may_be_names(names: Any) -> None:
    data = made(labels=names[LABELS], test=(TEST[0], list(names[TEST[1]])))
    assert data.class_names == ("cat", "dog", "eel", "fox")
    assert content(data) == content(made(test=TEST))
    other = made(labels=names[LABELS], class_names=["fox", "eel", "dog", "cat", "gnu"])
    assert other.num_classes == 5
    assert content(other) == content(made(labels=3 - LABELS))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float64])
def test_labels_of_any_type_are_whole_numbers(dtype: Any) -> None:
    data = made(labels=LABELS.astype(dtype), class_names=NAMES.tolist())
    assert data.train_set.labels.dtype == torch.int64
    assert content(data) == content(made())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            {"images": IMAGES[:0], "labels": LABELS[:0]},
            "images gives 0 images and labels (0,): there must be some, and",
        ),
        ({"labels": LABELS[:9]}, "images gives 200 images and labels (9,): there must be some, and one label (N,) for"),
        ({"labels": LABELS[:, None]}, "images gives 200 images and labels (200, 1): there must be some, and one label"),
        ({"labels": LABELS - 1}, "images gives labels from -1 to 2: they must be whole numbers from 0 to 2, by class"),
        ({"labels": LABELS / 2}, "images gives labels from 0 to 1.5: they must be whole numbers from 0 to 1, by"),
        (
            {"labels": LABELS * np.nan},
            "images gives labels from nan to nan: they must be whole numbers from 0 to 0, by",
        ),
        ({"labels": LABELS * 10**9}, "images gives labels from 0 to 3e+09: they must be whole numbers from 0 to 199"),
        ({"class_names": ["a", "b"]}, "images gives labels from 0 to 3: they must be whole numbers from 0 to 1, by"),
        (
            {"images": IMAGES / 127.5 - 1},
            "images: float64 from -1 to 1 can't be made uint8 exactly; leave out Normalize",
        ),
        (
            {"test": (TEST[0][:, :4, :4], TEST[1])},
            "test gives Tensor with torch.uint8 of (3, 4, 4) for images: it must be",
        ),
        ({"test": (TEST[0], TEST[1] + 3)}, "test gives labels from 3 to 6: they must be whole numbers from 0 to 3, by"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError) as error:
        made(**arguments)
    assert str(error.value).startswith(f"ArrayDataModule's {line}")


def test_a_label_that_is_no_class_is_refused() -> None:
    with pytest.raises(UserError, match="^the label fox is none of the class_names cat, dog, eel$"):
        made(labels=NAMES[LABELS], class_names=["cat", "dog", "eel"])
    with pytest.raises(UserError, match=r"^images have the shape \(200, 8, 7, 3\): it must be"):
        made(IMAGES[:, :, 1:])
    with pytest.raises(UserError, match="^--data.test_size 0 holds out 0 of 200 training images$"):
        made(test_size=0)


class Pictures(Dataset[Any]):
    """As torchvision's datasets are: PIL images, a transform, the names of the classes."""

    classes = ("one", "two", "three", "four")

    def __init__(self, transform: Any = None) -> None:
        self.transform = transform
        self.decoded = 0

    def __len__(self) -> int:
        return 200

    def __getitem__(self, index: int) -> tuple[Any, int]:
        self.decoded += 1
        picture = Image.fromarray(IMAGES[index])
        return self.transform(picture) if self.transform else picture, int(LABELS[index])


LAZY = pytest.mark.parametrize("memory_limit", [4.0, 0.0], ids=["in memory", "decoded when asked for"])


@LAZY
@pytest.mark.parametrize("transform", [None, ToTensor(), np.asarray])
def test_a_dataset_gives_the_same_bits_as_its_arrays(transform: Any, memory_limit: float) -> None:
    data = ready(ArrayDataModule.from_dataset(Pictures(transform), memory_limit=memory_limit))
    arrays = made(class_names=Pictures.classes)
    assert isinstance(data.train_set.images, torch.Tensor) == (memory_limit > 0)
    assert (data.class_names, data.mean, data.std) == (arrays.class_names, arrays.mean, arrays.std)
    assert content(data) == content(arrays)


@LAZY
def test_tensors_that_to_tensor_made_give_the_same_bits_as_uint8(memory_limit: float) -> None:
    pixels, labels = torch.from_numpy(IMAGES).movedim(3, 1), torch.from_numpy(LABELS)
    floats = TensorDataset(pixels / 255, labels), TensorDataset(pixels[:20] / 255, labels[:20])
    data = ready(ArrayDataModule.from_dataset(*floats, memory_limit=memory_limit, class_names=NAMES))
    assert data.class_names == tuple(NAMES)
    assert content(data) == content(made(test=(IMAGES[:20], LABELS[:20])))


def test_the_classes_of_a_subset_are_those_of_its_dataset() -> None:
    data = ArrayDataModule.from_dataset(Subset(Pictures(), range(100)), Subset(Pictures(), range(100, 200)))
    assert (data.class_names, [len(split) for split in splits(ready(data))]) == (Pictures.classes, [91, 9, 100])


def test_labels_of_several_numbers_are_refused() -> None:
    with pytest.raises(UserError, match=r"^ArrayDataModule's images gives 9 images and labels \(9, 4\): there must be"):
        ArrayDataModule.from_dataset(TensorDataset(torch.zeros(9, 1, 4, 4), torch.zeros(9, 4)))


def test_images_in_memory_are_decoded_once() -> None:
    dataset = Pictures()
    data = ready(ArrayDataModule.from_dataset(dataset))
    before = dataset.decoded
    list(data.train_dataloader())
    assert before == dataset.decoded == 201  # the first one tells the shape


def test_mean_and_std_of_images_that_are_not_in_memory_are_those_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SAMPLE", 20)
    data = ready(ArrayDataModule.from_dataset(Pictures(), memory_limit=0))
    assert data.mean == pytest.approx((data.train_set.first(20)[0].double() / 255).mean((0, 2, 3)).tolist())


def test_fake_data_of_torchvision_can_be_trained_on() -> None:
    data = ArrayDataModule.from_dataset(FakeData(60, (3, 8, 8), 3), FakeData(9, (3, 8, 8), 3), batch_size=8)
    trained(small(data), data)
    assert [len(split) for split in splits(ready(data))] == [48, 12, 9]


def test_the_same_images_as_floats_train_the_same_net() -> None:
    (images, labels), test = (synthetic().load(train) for train in (True, False))
    weights = []
    for scale in (1, 255):
        data = ArrayDataModule(images / scale if scale > 1 else images, labels, (test[0] / scale, test[1]))
        torch.manual_seed(0)
        model = small(data)
        trained(model, data, max_epochs=1)
        weights.append(torch.cat([weight.flatten() for weight in model.parameters()]))
    assert torch.equal(*weights)


def test_a_test_set_of_other_classes_is_refused() -> None:
    class Fewer(Pictures):
        classes = ("one", "two")  # type: ignore[assignment]

    with pytest.raises(UserError, match="are one, two, three, four, and of the test's one, two: make them alike"):
        ArrayDataModule.from_dataset(Pictures(), Fewer())


def test_names_and_numbers_of_classes_are_not_mixed() -> None:
    with pytest.raises(UserError, match="the labels are names, and those of the test are not: give both alike"):
        ArrayDataModule(IMAGES, NAMES[LABELS], test=TEST)
    with pytest.raises(UserError, match="class_names has a name twice: a, b, a, c"):
        ArrayDataModule(IMAGES, LABELS, class_names=["a", "b", "a", "c"])


@pytest.mark.parametrize("rows", [np.eye(4)[LABELS] * 255, np.eye(4)[LABELS] - 1, np.full((200, 4), np.nan)])
def test_rows_of_labels_are_shares(rows: Any) -> None:
    with pytest.raises(UserError, match="rows of labels that aren't shares from 0 to 1"):
        ArrayDataModule(IMAGES, rows, class_names=NAMES.tolist())


def test_a_channel_of_one_value_is_not_divided_by_nothing() -> None:
    images = IMAGES.copy()
    images[..., 2] = 7
    data = made(images)
    assert data.std[2] == 1.0
    assert data.mean[2] == pytest.approx(7 / 255)


def test_rows_stay_rows() -> None:
    data = made(labels=np.eye(4)[LABELS], class_names=NAMES.tolist(), one_hot=True)
    assert data.train_set.labels.shape[1] == 4
