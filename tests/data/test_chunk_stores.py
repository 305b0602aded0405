import os
import pickle
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from classifiers.data import chunk_stores
from classifiers.data.chunk_stores import Folder, Kept, store_at
from classifiers.experiment.errors import UserError
from tests.object_store import object_store, upload


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with object_store() as variables:
        yield variables


@pytest.fixture
def address(server: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "files").mkdir()
    (tmp_path / "files/x").write_bytes(b"0123456789")
    return upload(tmp_path / "files", "some/files", server)


class Noting(Folder):
    """Notes what is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.seen: list[tuple[str, int, int | None]] = []

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        self.seen.append((name, offset, size))
        return super().read(name, offset, size)


@pytest.fixture
def noting(tmp_path: Path) -> Noting:
    (tmp_path / "files").mkdir()
    for name in "xyz":
        (tmp_path / "files" / name).write_bytes(name.encode() * 10)
    return Noting(tmp_path / "files")


SIZES = dict.fromkeys("xyz", 10)


def test_files_are_read_whole_and_by_ranges(address: str, tmp_path: Path) -> None:
    for root in (address, f"{address}/", tmp_path / "files"):
        store = store_at(root)
        assert store.read("x") == b"0123456789"
        assert store.read("x", 2, 3) == b"234"
        with ThreadPoolExecutor(16) as pool:
            read = [*pool.map(lambda start: store.read("x", start, 1), range(10))]  # noqa: B023
        assert b"".join(read) == b"0123456789"


def test_a_copy_of_a_store_reads_too(address: str, tmp_path: Path) -> None:
    store = Kept(store_at(address), tmp_path / "kept", {"x": 10}, limit=10)
    copy = pickle.loads(pickle.dumps(store))  # as a worker that is spawned gets it
    assert (copy.read("x", 2, 3), store.read("x", 3, 2)) == (b"234", b"34")


def test_what_a_store_lacks_is_one_line(address: str) -> None:
    for root in (f"{address}/nowhere", "s3://other/files"):
        with pytest.raises(
            UserError, match=rf"^can't read {root}/x \(Not Found\): --data.root names the bucket and pref"
        ):
            store_at(root).read("x")
    for start, size in ((5, 10), (50, 10)):
        with pytest.raises(UserError, match=rf"{address}/x \(.*range"):
            store_at(address).read("x", start, size)


def test_what_a_folder_lacks_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    with pytest.raises(UserError, match=f"^{tmp_path}/x has been cut short: copy the pack anew$"):
        store_at(tmp_path).read("x", 5, 10)
    with pytest.raises(UserError, match=rf"^can't read {tmp_path}/y \(No such file or directory\): --data.root names"):
        store_at(tmp_path).read("y")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://nowhere.invalid", "nonsense"])
def test_a_store_that_does_not_answer_is_one_line(endpoint: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(
        UserError, match=rf"^no answer to {address}/x \(.*{endpoint}.*\): AWS_ENDPOINT_URL names the store"
    ):
        store_at(address).read("x")


def test_missing_credentials_are_one_line(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UserError, match=f"^there are no credentials for {address}/x: set AWS_ACCESS_KEY_ID"):
        store_at(address).read("x")


@pytest.mark.parametrize("root", ["gs://bucket/x", "s3://", "s3:///x"])
def test_an_address_of_another_kind_is_one_line(root: str) -> None:
    with pytest.raises(UserError, match=f"^--data.root is {root}: it must be a folder, or s3://BUCKET/PREFIX$"):
        store_at(root)


def test_a_missing_litdata_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "litdata"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "litdata", None)
    with pytest.raises(UserError, match=r"^packs need litdata: python -m pip install -e '\.\[stream\]'$"):
        store_at("s3://mine/x")


def test_first_files_are_kept_as_far_as_they_fit(noting: Noting, tmp_path: Path) -> None:
    kept = Kept(noting, tmp_path / "kept", SIZES, limit=29)
    for _ in range(2):
        assert [kept.read(name, 3, 2) for name in "zyx"] == [b"zz", b"yy", b"xx"]
    assert noting.seen == [("z", 3, 2), ("y", 0, 10), ("x", 0, 10), ("z", 3, 2)]
    assert {path.name for path in (tmp_path / "kept").glob("?")} == {"x", "y"}
    again = Kept(noting, tmp_path / "kept", SIZES, limit=30)
    assert (again.read("x", 0, 1), len(noting.seen)) == (b"x", 4)


def test_what_another_process_copies_is_read_meanwhile(noting: Noting, tmp_path: Path) -> None:
    kept = Kept(noting, tmp_path / "kept", SIZES, limit=30)
    (tmp_path / "kept").mkdir()
    with FileLock(tmp_path / "kept/x.lock"):
        assert kept.read("x", 3, 2) == b"xx"
    assert noting.seen == [("x", 3, 2)]
    assert not (tmp_path / "kept/x").exists()


def test_a_full_disk_is_one_line(noting: Noting, small_disk: Path) -> None:
    (noting.root / "x").write_bytes(bytes(400_000))
    kept = Kept(noting, small_disk / "kept", {"x": 400_000}, limit=1e9)
    with pytest.raises(UserError, match="No space left on device.*make room, or give a lower --data.disk_limit"):
        kept.read("x", 0, 1)


def test_attempts_end_within_seconds() -> None:
    """At a store that lets one wait for each."""
    assert chunk_stores.SECONDS * chunk_stores.FIRST <= 15
