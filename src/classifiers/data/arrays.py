"""Your own images: arrays, tensors or any map-style dataset of torch's."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.data.image_dataset import Images, first_image
from classifiers.data.pixels import as_tensor, channels_first
from classifiers.data.samples import Samples, read_samples
from classifiers.data.splitting import parts_by_class
from classifiers.data.stratified import SAMPLE, StratifiedDataModule
from classifiers.experiment.errors import UserError
from classifiers.metrics import class_indices

Array = Tensor | NDArray[Any] | Sequence[Any]


class ArrayDataModule(StratifiedDataModule):
    """Images `(N, C, H, W)`, `(N, H, W, C)` or `(N, H, W)` that `as_uint8` takes, and labels `(N,)`, in memory.

    They are as high as wide, of 1 or 3 channels. Validation images, and test images that aren't given, are held out of
    them, by their pixels and `split_seed`: see `parts_by_class`.

    Args:
        images: to train and validate on.
        labels: their classes: whole numbers from 0, or names.
        test: images and labels to test on.
        class_names: in the order of the labels; None means the labels' own, sorted; "0", "1" and so on of numbers.
        test_size: images held out for the test where `test` isn't given: their share below 1, else their number, about.
        mean: of each channel, subtracted from the images in [0, 1]; None means that of those to train and validate on.
        std: of each channel, by which they are divided then; None means that of the same images.
        kwargs: options of every data module.

    Raises:
        UserError: other shapes, pixels or labels, or not one label for each image.
    """

    def __init__(
        self,
        images: Array | Samples,
        labels: Array,
        test: tuple[Array | Samples, Array] | None = None,
        class_names: Sequence[str] | None = None,
        test_size: int | float = 0.1,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        **kwargs: Any,
    ) -> None:
        pool = _images(images)
        numbers, self.class_names = _coded(labels, class_names)
        self.in_channels, self.image_size = first_image(pool).shape[1:3]
        self.mean = self.std = (1.0,) * self.in_channels  # until they are computed
        super().__init__(mean=mean, std=std, **kwargs)
        pool, numbers = self.checked(pool, numbers, "images")
        sizes = {"val": self.val_size} if test else {"test": test_size, "val": self.val_size}
        parts = parts_by_class(class_indices(numbers), self.identities(pool, train=True), sizes, self.split_seed)
        self._train_size = len(parts["train"])
        order = torch.cat([parts["train"], parts["val"]])
        self._fit = _at(pool, order), numbers[order]
        if test:
            if class_names is None and _is_text(labels) and not _is_text(test[1]):
                raise UserError("the labels are names, and those of the test are not: give both alike")
            self._test = self.checked(_images(test[0]), _coded(test[1], self.class_names)[0], "test")
        else:
            self._test = _at(pool, parts["test"]), numbers[parts["test"]]
        if not (mean and std):
            self._take_statistics(self._fit[0], SAMPLE if isinstance(pool, Samples) else len(order), mean, std)

    @classmethod
    def from_dataset(cls, dataset: Any, test: Any = None, memory_limit: float = 4.0, **kwargs: Any) -> Self:
        """The images of a map-style dataset of torch's, such as torchvision's, and of another to test on.

        A sample is an image, PIL's or uint8 or a float in [0, 1] as `ToTensor` makes it, and its label. It is decoded
        once; if that makes more than `memory_limit` GiB, anew for each batch. So random changes are `augmentations`.

        Raises:
            UserError: no map-style dataset, samples that are no such pairs, or images of several shapes.
        """
        names, others = (_classes(one) for one in (dataset, test))
        if names and others and [*names] != [*others]:
            theirs = [", ".join(map(str, some)) for some in (names, others)]
            raise UserError(
                f"the classes of the dataset are {theirs[0]}, and of the test's {theirs[1]}: make them alike"
            )
        kwargs = {"class_names": names, **kwargs}
        tested = None if test is None else read_samples(test, memory_limit)
        return cls(*read_samples(dataset, memory_limit), tested, **kwargs)

    def load(self, train: bool) -> tuple[Images, Tensor]:
        return self._fit if train else self._test


def _classes(dataset: Any) -> Sequence[str] | None:
    """The names of a dataset's classes, or those of what it is a Subset of, if it tells."""
    found: Sequence[str] | None = getattr(dataset, "classes", None)
    return found or getattr(getattr(dataset, "dataset", None), "classes", None)


def _images(images: Array | Samples) -> Images:
    return images if isinstance(images, Samples) else channels_first(as_tensor(images, "images"))


def _at(images: Images, index: Tensor) -> Images:
    return images.at(index) if isinstance(images, Samples) else images[index]


def _is_text(labels: Array) -> bool:
    return not isinstance(labels, Tensor) and isinstance(next(iter(np.asarray(labels).flat), None), str)


def _coded(labels: Array, class_names: Sequence[str] | None) -> tuple[Tensor, tuple[str, ...]]:
    """The labels as numbers, and the names of the classes: those given, else the labels' own, no more than labels."""
    names = () if class_names is None else tuple(str(name) for name in class_names)
    if len(set(names)) < len(names):
        raise UserError(f"class_names has a name twice: {', '.join(names)}")
    values = labels if isinstance(labels, Tensor) else np.asarray(labels)
    if isinstance(values, np.ndarray) and values.size and all(isinstance(value, str) for value in values.flat):
        names = names or tuple(sorted({str(value) for value in values.flat}))
        if strange := sorted({*values.flat}.difference(names)):
            raise UserError(f"the label {strange[0]} is none of the class_names {', '.join(names)}")
        places = {name: place for place, name in enumerate(names)}
        values = np.array([places[value] for value in values.flat]).reshape(values.shape)
    numbers = as_tensor(values, "labels")
    highest = int(numbers.long().max()) if numbers.numel() else 0
    return numbers, names or tuple(str(label) for label in range(min(max(0, highest) + 1, numbers.numel())))
