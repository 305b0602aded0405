"""Where the files of a pack lie: in a folder, or in an object store, whose chunks a disk keeps as far as they fit."""

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.files import replacing, writing
from classifiers.experiment.paths import at_home

SCHEME = "s3://"
SECONDS = 5  # without a connection
AT_ONCE = 16  # requests of a process to an object store
FIRST, LATER = 3, 10  # attempts at what tells that there is a pack, and at what a fit then needs of it


class Store(Protocol):
    """Files that are read by ranges of bytes, from any thread and any process that has a copy of this."""

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        """So many bytes of a file, from `offset` on; all of it without a `size`. UserError says why it can't be."""
        ...


class Folder:
    """A folder on a disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        path = self.root / name
        try:
            with path.open("rb") as file:
                file.seek(offset)
                content = file.read(size)
        except OSError as error:
            raise UserError(f"can't read {path} ({error.strerror}): --data.root names what pack wrote") from error
        if size is not None and len(content) < size:
            raise UserError(f"{path} has been cut short: copy the pack anew")
        return content


class ObjectStore:
    """A prefix in a bucket of an object store that speaks S3, `s3://BUCKET/PREFIX`, read by litdata's downloader.

    Which store and as whom is told as to all programs: `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `~/.aws` and so on.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._first, self._later = (_downloader(self.address, attempts) for attempts in (FIRST, LATER))

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        address = f"{self.address}/{name}"
        with _answering(address):
            if size is not None:
                return bytes(self._later.download_bytes(address, offset, size, ""))
            self._first.download_fileobj(address, content := BytesIO())
            return content.getvalue()


class Kept:
    """Another store, of whose files the first, up to `limit` bytes, are copied into `folder` when they are asked for.

    Nothing is deleted there. What another process is copying is meanwhile read from the store.
    """

    def __init__(self, store: Store, folder: Path, sizes: Mapping[str, int], limit: float) -> None:
        self.store, self.copies = store, Folder(folder)
        self.sizes: dict[str, int] = {}
        for name, size in sizes.items():
            if (limit := limit - size) < 0:
                break
            self.sizes[name] = size

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        kept = name in self.sizes and ((self.copies.root / name).exists() or self._copy(name))
        return (self.copies if kept else self.store).read(name, offset, size)

    def _copy(self, name: str) -> bool:
        """Whether the file is in the folder now."""
        path = self.copies.root / name
        with writing(path, "make room, or give a lower --data.disk_limit"), contextlib.suppress(Timeout):
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock", timeout=0):
                if not path.exists():
                    content = self.store.read(name, 0, self.sizes[name])
                    with replacing(path) as file:
                        file.write(content)
            return True
        return False


def is_address(root: str | Path) -> bool:
    """Whether that is an address, of whatever kind, and no path."""
    return "://" in str(root)


def store_at(root: str | Path) -> Store:
    """The folder or the prefix in an object store that `root` names; UserError if it is of another kind."""
    if not is_address(root):
        return Folder(at_home(root))
    if not re.match(f"{SCHEME}[^/]", str(root)):
        raise UserError(f"--data.root is {root}: it must be a folder, or {SCHEME}BUCKET/PREFIX")
    return ObjectStore(str(root))


def litdata(module: str) -> Any:
    """A module of litdata, which is imported where a pack is written or fetched, and nowhere else."""
    try:
        with warnings.catch_warnings():  # of which it would set filters for the whole process
            return import_module(f"litdata.{module}")
    except ModuleNotFoundError as error:
        raise UserError("packs need litdata: python -m pip install -e '.[stream]'") from error


def _downloader(address: str, attempts: int) -> Any:
    kind = litdata("streaming.downloader").S3Downloader
    retries = {"total_max_attempts": attempts, "mode": "standard"}
    config = import_module("botocore.config").Config(
        connect_timeout=SECONDS, retries=retries, max_pool_connections=AT_ONCE
    )
    return kind(address, "", [], {"config": config})


@contextlib.contextmanager
def _answering(address: str) -> Iterator[None]:
    """While this lasts, an object store is asked for `address`; UserError tells what it answers instead."""
    errors = import_module("botocore.exceptions")
    try:
        yield
    except (errors.NoCredentialsError, errors.PartialCredentialsError) as error:
        cure = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws"
        raise UserError(f"there are no credentials for {address}: {cure}") from error
    except errors.ClientError as error:
        cure = "--data.root names the bucket and prefix of a pack that your credentials may read"
        raise UserError(f"can't read {address} ({error.response['Error'].get('Message')}): {cure}") from error
    except (errors.BotoCoreError, OSError, ValueError) as error:
        cure = "AWS_ENDPOINT_URL names the store, unless it is Amazon's"
        raise UserError(f"no answer to {address} ({one_line(error)}): {cure}") from error
