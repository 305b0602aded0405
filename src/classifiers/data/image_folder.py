"""Your own images: a folder with a sub-folder for each class."""

from pathlib import Path
from typing import Any

from classifiers.data.class_folders import find_files
from classifiers.data.file_data_module import FileDataModule
from classifiers.data.files import Found


class ImageFolderDataModule(FileDataModule):
    """Image files in a sub-folder for each class, or in folders `train`, `val` and `test` which have those.

    Args:
        root: the folder: `root/CLASS/*`, or `root/train/CLASS/*` and, where they are given, `root/val/CLASS/*` and
            `root/test/CLASS/*`.
        kwargs: options of all image files.

    Raises:
        UserError: no such folder; fewer than two classes; one without images, or not in all parts; unreadable images.
    """

    def __init__(self, root: str | Path, **kwargs: Any) -> None:
        super().__init__(root, **kwargs)

    def find(self) -> Found:
        return find_files(self.root)
