"""Your own images that outgrow a disk: a pack of them, in a folder or in an object store."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate, get_worker_info

from classifiers.data.chunk_stores import AT_ONCE, Folder, Kept, Store, litdata, store_at
from classifiers.data.decoding import tracked
from classifiers.data.file_data_module import FileDataModule
from classifiers.data.files import Files, Found
from classifiers.data.image_dataset import Images
from classifiers.data.image_files import quietly, read_image
from classifiers.data.packs import TABLE, PackedFiles, chunk_name, chunk_sizes, read_table
from classifiers.data.resizing import Resize


class PackedImages:
    """Stands in for the uint8 tensor `(N, C, H, W)` of the images of a pack: what is indexed is fetched and decoded."""

    def __init__(self, store: Store, files: PackedFiles, shape: Sequence[int], resize: Resize) -> None:
        self.store, self.files, self.shape, self.resize = store, files, shape, resize

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Tensor) -> Tensor:
        """The images `(B, C, H, W)` at the indices `(B,)`."""
        files = self.files[index]

        def read(path: str, place: tuple[int, int, int]) -> Tensor:
            chunk, offset, size = place
            content = self.store.read(chunk_name(chunk), offset, size)
            return read_image(path, self.shape, self.resize, content)

        threads = AT_ONCE if not isinstance(self.store, Folder) else 1 if get_worker_info() else None
        with quietly(), ThreadPoolExecutor(threads) as pool:
            batch: Tensor = default_collate([*pool.map(read, files.paths, files.places.tolist())])
        return batch

    def in_memory(self) -> Tensor:
        """All of them."""
        images = np.empty((len(self), *self.shape), np.uint8)
        parts = torch.split(torch.arange(len(self)), 256)
        for index in tracked(parts, len(parts), "Reading", len(self)):
            images[index.numpy()] = self[index].numpy()
        return torch.from_numpy(images)


class StreamDataModule(FileDataModule):
    """The images that `pack` wrote, split, in the order and known as they were in their folder, to the same weights.

    They are read one by one from where they stand in the chunks; an object store's chunks are copied to this machine
    when they are first needed, into the folder `LITDATA_CACHE_DIR` or `~/.lightning/chunks`.

    Args:
        root: the folder of the pack, or its address in a store that speaks S3, as Amazon's: `s3://BUCKET/PREFIX`.
        disk_limit: GiB of chunks of an object store that are kept on this machine, its first ones. Images of others are
            fetched anew each time, 16 at once by each worker.
        kwargs: options of all image files.

    Raises:
        UserError: there is no pack, or a damaged one; no answer from the store, or none that allows to read it.
    """

    _files: tuple[PackedFiles, PackedFiles]

    def __init__(self, root: str | Path, disk_limit: float = 32.0, **kwargs: Any) -> None:
        self.address, self.disk_limit = root, disk_limit
        super().__init__(root, cache=False, cache_limit=None, skip_unreadable=False, **kwargs)

    def find(self) -> Found:
        self._store = store_at(self.address)
        content = self._store.read(TABLE)
        class_names, parts = read_table(content, f"{self.address}/{TABLE}")
        if not isinstance(self._store, Folder) and self.disk_limit:
            folder = Path(litdata("utilities.dataset_utilities").get_default_cache_dir())
            sizes = chunk_sizes(torch.cat([files.places for files in parts.values()]).numpy())
            digest = blake2b(content, digest_size=16).hexdigest()
            self._store = Kept(self._store, folder / digest, sizes, self.disk_limit * 2**30)
        return class_names, dict[str, Files](parts), Counter()

    @cached_property
    def _images(self) -> tuple[Images, Images]:
        fit, test = (PackedImages(self._store, files, self.image_shape, self.resize) for files in self._files)
        return (fit.in_memory(), test.in_memory()) if self._kept.in_memory else (fit, test)
