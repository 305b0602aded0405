import gzip
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from classifiers.data import sources
from classifiers.data.sources import folder_of_gz, web_folder_of_gz, web_tar

CONTENT = {"a": b"first" * 1000, "b": b"second" * 1000}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/silent"):
            self.server.hold.wait()  # type: ignore[attr-defined]
        else:
            super().do_GET()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which a real server on this machine serves it."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        server.hold = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.hold.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def put_gz(folder: Path) -> None:
    for name, content in CONTENT.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))


def put_tar(path: Path, names: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def fetched(source: sources.Source, into: Path) -> dict[str, bytes]:
    into.mkdir()
    source.fetch(list(CONTENT), into)
    return {name: (into / name).read_bytes() for name in CONTENT}


def test_a_local_folder(tmp_path: Path) -> None:
    put_gz(tmp_path)
    assert fetched(folder_of_gz(tmp_path), tmp_path / "into") == CONTENT


def test_a_local_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fetched(folder_of_gz(tmp_path / "none"), tmp_path / "into")


def test_a_truncated_gz_is_named(tmp_path: Path) -> None:
    put_gz(tmp_path)
    whole = (tmp_path / "b.gz").read_bytes()
    (tmp_path / "b.gz").write_bytes(whole[:-12])
    with pytest.raises(ValueError, match=r"^b\.gz is damaged$"):
        fetched(folder_of_gz(tmp_path), tmp_path / "into")


def test_a_web_folder(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = served
    put_gz(folder)
    assert fetched(web_folder_of_gz(url), tmp_path / "into") == CONTENT


def test_a_missing_page(served: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(OSError, match="404"):
        fetched(web_folder_of_gz(served[1]), tmp_path / "into")


def test_a_silent_server_is_given_up(served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "TIMEOUT", 0.1)
    with pytest.raises(OSError, match="timed out"):
        fetched(web_folder_of_gz(served[1] + "silent/"), tmp_path / "into")


def test_an_archive_on_the_web(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = served
    put_tar(folder / "x.tar.gz", {f"top/{name}": content for name, content in CONTENT.items()})
    assert fetched(web_tar(url + "x.tar.gz", "top/"), tmp_path / "into") == CONTENT


def test_an_archive_writes_only_the_files_that_were_asked_for(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = served
    evil = {"../evil": b"x", "/tmp/evil-classifiers": b"x", "top/../../evil2": b"x"}
    put_tar(folder / "x.tar.gz", {**{f"top/{name}": content for name, content in CONTENT.items()}, **evil})
    fetched(web_tar(url + "x.tar.gz", "top/"), tmp_path / "into")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "archive", "b", "into", "served", "x.tar.gz"]
    assert not Path("/tmp/evil-classifiers").exists()


@pytest.mark.parametrize("names", [{"top/a": b"only one"}, {}])
def test_another_archive_is_refused(served: tuple[Path, str], tmp_path: Path, names: dict[str, bytes]) -> None:
    folder, url = served
    put_tar(folder / "x.tar.gz", names)
    with pytest.raises(ValueError, match="not the expected archive"):
        fetched(web_tar(url + "x.tar.gz", "top/"), tmp_path / "into")
