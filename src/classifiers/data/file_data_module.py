"""Your own images in files, however these are found."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.data.coverage import of_copies
from classifiers.data.decoding import write_list
from classifiers.data.files import Files, Found
from classifiers.data.identity import of_names
from classifiers.data.image_dataset import ImageDataset, Images
from classifiers.data.image_search import told
from classifiers.data.kept_images import KeptImages
from classifiers.data.resizing import Resize
from classifiers.data.splitting import parts_by_class
from classifiers.data.stratified import SAMPLE, StratifiedDataModule
from classifiers.experiment.errors import UserError


class FileDataModule(StratifiedDataModule, ABC):
    """Image files of any size and kind that `read_image` reads, made `(in_channels, image_size, image_size)` by it.

    In place of files to validate or to test on that a subclass doesn't find, files to train on are held out, by their
    names and `split_seed`: see `parts_by_class`.

    Args:
        root: the folder that they are in.
        image_size: height and width in pixels that every image is given; None means those of a net that has its own,
            else 64.
        in_channels: 1 for grey images, 3 for RGB.
        resize: how: "squash" gives up their proportions, "crop" cuts off both ends of what is too long, "pad" keeps
            all of an image, on white.
        test_size: as `val_size`, for the test, where there are no files for it.
        memory_limit: GiB up to which all images together are kept in the memory of each process.
        cache: whether they are decoded once, into a file which all processes and later fits map, in the folder of that
            name, or `.decoded` beside them; None means those beyond `memory_limit`. Without, these are streamed: read
            anew for each batch.
        cache_limit: GiB up to which that folder keeps such files, the ones used last; None means as its disk allows.
        mean: of each channel, subtracted from the images in [0, 1]; None means that of the images to train and validate
            on, of 5,000 drawn by `split_seed` where there are more.
        std: of each channel, by which they are divided then; None means that of the same images.
        num_workers: processes that fetch batches; None means none unless files are streamed, else one a core, at most
            eight, as far as shared memory allows.
        skip_unreadable: whether files that can't be read are left out, where one of them would stop all.
        kwargs: options of every data module.

    Raises:
        UserError: what `find` raises, unreadable images, or no room where `cache` wants it.
    """

    def __init__(
        self,
        root: str | Path,
        image_size: int | None = None,
        in_channels: Literal[1, 3] = 3,
        resize: Resize = "squash",
        test_size: int | float = 0.1,
        memory_limit: float = 4.0,
        cache: bool | str | None = None,
        cache_limit: float | None = None,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        num_workers: int | None = None,
        skip_unreadable: bool = False,
        **kwargs: Any,
    ) -> None:
        if image_size is not None and image_size < 1:
            raise UserError(f"--data.image_size is {image_size}: it must be at least 1")
        if resize not in get_args(Resize):
            raise UserError(f"--data.resize is {resize}: it must be squash, crop or pad")
        self.in_channels, self.image_size, self.resize = in_channels, image_size or 64, resize
        self.mean = self.std = (1.0,) * in_channels  # until they are computed
        super().__init__(root, mean=mean, std=std, num_workers=num_workers, **kwargs)
        self.skip_unreadable = skip_unreadable
        self.class_names, parts, self.left_out = self.find()
        files = reduce(add, parts.values())
        limits = (memory_limit, cache, cache_limit)
        self._kept = KeptImages(files.paths, self.source, self.image_shape, resize, *limits)
        if not self._kept.streamed:
            self.num_workers = num_workers or 0
        if skip_unreadable:
            parts = {name: self._readable(files) for name, files in parts.items()}
        train, sizes = parts["train"], {"test": test_size, "val": self.val_size}
        missing = {name: size for name, size in sizes.items() if name not in parts}
        indices = parts_by_class(train.labels, of_names(train.names), missing, self.split_seed)
        parts |= {name: train[part] for name, part in indices.items()}
        self._train_size = len(parts["train"])
        self._files = parts["train"] + parts["val"], parts["test"]
        if not (mean and std):
            self._take_statistics(self._images[0], SAMPLE, mean, std)

    @abstractmethod
    def find(self) -> Found:
        """The names of the classes, sorted, the files of each part "train", "val" or "test" that has some, and how many
        others are left out, by why.
        """

    @property
    def source(self) -> Path:
        """What names the files: their folder, or a table."""
        return self.root

    def load(self, train: bool) -> tuple[Images, Tensor]:
        which = 0 if train else 1
        return self._images[which], self._files[which].labels

    @property
    def train_paths(self) -> NDArray[np.str_]:
        """The files `(N,)` of the images to train and validate on, in their order."""
        return np.array(list(self._files[0].paths))

    @property
    def test_paths(self) -> NDArray[np.str_]:
        """The files `(N,)` of the test images, in their order."""
        return np.array(list(self._files[1].paths))

    def panel_rows(self) -> dict[str, str]:
        rows = super().panel_rows()
        return {**rows, "left out": told(self.left_out)} if self.left_out else rows

    def remarks(self, part: str) -> list[str]:
        """As of any images; with those of "val", if all are in memory, already how many to test on are trained on."""
        found = super().remarks(part)
        if part == "val" and self._kept.in_memory:
            test = ImageDataset(*self.load(train=False), torch.arange(len(self._files[1])))
            found += of_copies("test", test, self.train_set)
        return found

    def identities(self, images: Images, train: bool) -> Tensor:
        files = self._files[0 if train else 1]
        return files.identities(self.class_names, self._kept.samples(files.paths))

    @cached_property
    def _images(self) -> Sequence[Images]:
        """Those to train and validate on, in this order, and those to test on."""
        return self._kept.parts(*(files.paths for files in self._files))

    def _readable(self, files: Files) -> Files:
        failed = self._kept.unreadable(files.paths)
        if failed:
            self.left_out[f"unreadable, as in {write_list(failed)}"] += len(failed)
        return files.without(failed, self.class_names)
