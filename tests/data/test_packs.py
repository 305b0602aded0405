import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers import StreamDataModule
from classifiers.data.packing import write_pack
from classifiers.data.packs import chunk_sizes, read_table
from classifiers.experiment.errors import UserError
from tests.photos import write_photos


class Code:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write_pack(write_photos(tmp_path / "photos", 5), tmp_path / "pack")
    return tmp_path / "pack"


def archive(**arrays: Any) -> bytes:
    np.savez(content := io.BytesIO(), **arrays)
    return content.getvalue()


def columns(pack: Path) -> dict[str, Any]:
    with np.load(pack / "images.npz") as arrays:
        return dict(arrays)


def test_chunks_end_with_their_last_image() -> None:
    assert chunk_sizes(np.array([[0, 20, 5], [1, 20, 7], [0, 29, 3]])) == {"chunk-0-0.bin": 32, "chunk-0-1.bin": 27}


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps(Code()), archive(names=np.array([Code()]))], ids=str)
def test_what_is_no_table_is_one_line_and_never_run(content: bytes) -> None:
    with pytest.raises(UserError, match="^x.npz is no table of a pack .*: pack the images anew$"):
        read_table(content, "x.npz")
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("version", lambda _: np.array(2), "its version is 2, not 1"),
        ("names", lambda names: np.array([Code() for _ in names]), "allow_pickle"),
        ("names", lambda names: names[1:], "its columns don't fit together"),
        ("places", lambda places: places[:, :2], "its columns don't fit together"),
        ("places", lambda places: places - 1, "its columns don't fit together"),
        ("places", lambda places: places + np.array([2**40, 0, 0]), "its columns don't fit together"),
        ("known", lambda known: known[:3], "its columns don't fit together"),
        ("parts", lambda parts: parts[:3], "its columns don't fit together"),
        ("labels", lambda labels: labels + 1, "out of bounds"),
        ("labels", lambda labels: labels / 1, "Cannot cast"),
    ],
    ids=["version", "code", "names", "width", "negative", "chunk", "known", "parts", "labels", "fractions"],
)
def test_a_damaged_table_is_one_line(name: str, change: Any, told: str, pack: Path) -> None:
    found = columns(pack)
    assert len(read_table(archive(**found), "x.npz")[1]["train"]) == 10
    with pytest.raises(UserError, match=f"^x.npz is no table of a pack .*{told}.*: pack the images anew$"):
        read_table(archive(**{**found, name: change(found[name])}), "x.npz")
    assert not Path("ran").exists()


def test_a_table_without_a_column_is_one_line(pack: Path) -> None:
    found = columns(pack)
    del found["known"]
    with pytest.raises(UserError, match="^x.npz is no table of a pack .*known"):
        read_table(archive(**found), "x.npz")


def test_code_in_chunks_is_never_run(pack: Path) -> None:
    """A pack whose index says that its items are pickled, as they are."""
    index = (pack / "index.json").read_text()
    assert '"data_format": ["bytes"]' in index
    (pack / "index.json").write_text(index.replace('["bytes"]', '["pickle"]'))
    code, places = pickle.dumps(Code()), columns(pack)["places"]
    chunk = bytearray((pack / "chunk-0-0.bin").read_bytes())
    for _, start, size in places.tolist():
        chunk[start : start + size] = code[:size].ljust(size, b"\0")
    (pack / "chunk-0-0.bin").write_bytes(chunk)
    with pytest.raises(UserError, match=r"^dark/00\d\.\w+ is no .* image$"):
        StreamDataModule(pack, memory_limit=0, num_workers=0)
    assert not Path("ran").exists()
    assert len(code) < places[:, 2].min()


def test_names_in_any_bytes_are_kept(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 5)
    strange = os.fsencode(photos) + b"/dark/\xff\xc3\xa9 .png"
    os.rename(photos / "dark/000.png", strange)  # noqa: PTH104  # in bytes
    write_pack(photos, tmp_path / "pack")
    _, parts = read_table((tmp_path / "pack/images.npz").read_bytes(), "x.npz")
    assert b"\xff\xc3\xa9 .png" in {name.encode("utf-8", "surrogateescape") for name in parts["train"].names}
