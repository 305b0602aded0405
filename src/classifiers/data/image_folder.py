"""Your own images: a folder with a sub-folder for each class."""

import os
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor

from classifiers.data.class_folders import find_files
from classifiers.data.decoding import ImageFiles, check_images, read_images
from classifiers.data.image_dataset import Images
from classifiers.data.splitting import stratified_parts
from classifiers.data.stratified import SAMPLE, StratifiedDataModule
from classifiers.experiment.errors import UserError


class ImageFolderDataModule(StratifiedDataModule):
    """Image files of any size and kind that `read_image` reads, made `(in_channels, image_size, image_size)` by it.

    `root` has a sub-folder for each class, or folders `train`, `val` and `test` which have those. In place of a `val`
    or `test` that isn't there, training images are held out: an equal share of each class, drawn by `split_seed`.

    Args:
        root: the folder: `root/CLASS/*`, or `root/train/CLASS/*` and, where they are given, `root/val/CLASS/*` and
            `root/test/CLASS/*`.
        image_size: height and width in pixels that every image is given.
        in_channels: 1 for grey images, 3 for RGB.
        test_size: images held out for the test where there is no folder `test`: their share below 1, else their number.
        memory_limit: GiB up to which all images together are kept in the memory of each process. More are streamed:
            read anew for each batch.
        mean: of each channel, subtracted from the images in [0, 1]; None means that of the images to train and validate
            on, of 5,000 drawn by `split_seed` where there are more.
        std: of each channel, by which they are divided then; None means that of the same images.
        num_workers: processes that fetch batches; None means none for images in memory, else one a core, at most eight.
        kwargs: options of every data module.

    Raises:
        UserError: no such folder; fewer than two classes; one without images, or not in all splits; unreadable images.
    """

    def __init__(
        self,
        root: str | Path,
        image_size: int = 64,
        in_channels: Literal[1, 3] = 3,
        test_size: int | float = 0.1,
        memory_limit: float = 4.0,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        num_workers: int | None = None,
        **kwargs: Any,
    ) -> None:
        if image_size < 1:
            raise UserError(f"--data.image_size is {image_size}: it must be at least 1")
        self.in_channels = in_channels
        self.image_size = image_size
        self.mean = self.std = (1.0,) * in_channels  # until they are computed
        super().__init__(root, mean=mean, std=std, num_workers=num_workers or 0, **kwargs)
        self.class_names, splits = find_files(self.root)
        train, sizes = splits["train"], {"test": test_size, "val": self.val_size}
        missing = {name: size for name, size in sizes.items() if name not in splits}
        parts = stratified_parts(train.labels, missing, self.split_seed)
        splits |= {name: train[part] for name, part in parts.items()}
        self._train_size = len(splits["train"])
        self._files = splits["train"] + splits["val"], splits["test"]
        self._in_memory = sum(map(len, self._files)) * prod(self.image_shape) <= memory_limit * 2**30
        if num_workers is None and not self._in_memory:
            self.num_workers = min(8, os.cpu_count() or 1)
        if not (mean and std):
            self._take_statistics(self._images[0], SAMPLE, mean, std)

    def load(self, train: bool) -> tuple[Images, Tensor]:
        which = 0 if train else 1
        return self._images[which], self._files[which].labels

    @cached_property
    def _images(self) -> tuple[Images, Images]:
        """Those to train and validate on, in this order, and those to test on."""
        fit, test = (files.paths for files in self._files)
        paths = np.concatenate([fit, test])
        if self._in_memory:
            images = read_images(paths, self.image_shape)
            return images[: len(fit)], images[len(fit) :]
        check_images(paths)
        return ImageFiles(fit, self.image_shape), ImageFiles(test, self.image_shape)
