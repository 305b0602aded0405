"""Where official files come from: a folder, a web address, a Debian package. Each makes one `Source`."""

import gzip
import http.client
import shutil
import subprocess
import tarfile
import urllib.request
import zlib
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from classifiers.data.official_files import Source

TIMEOUT = 10.0  # seconds without an answer or a byte


def folder_of_gz(folder: Path) -> Source:
    """A local folder that holds the files gzipped, as `NAME.gz`."""

    def fetch(names: Sequence[str], into: Path) -> None:
        try:
            for name in names:
                with gzip.open(folder / f"{name}.gz") as packed, (into / name).open("wb") as file:
                    shutil.copyfileobj(packed, file)
        except (EOFError, zlib.error) as error:
            raise ValueError(f"{name}.gz is damaged") from error

    return Source(str(folder), fetch)


def web_folder_of_gz(url: str) -> Source:
    """A web folder that holds the files gzipped, at `url` + `NAME.gz`."""

    def fetch(names: Sequence[str], into: Path) -> None:
        for name in names:
            download(f"{url}{name}.gz", into / f"{name}.gz")
        folder_of_gz(into).fetch(names, into)

    return Source(url, fetch)


def web_tar(url: str, prefix: str) -> Source:
    """A tar archive at `url` that holds the files as `prefix` + `NAME`; only these are read out of it."""

    def fetch(names: Sequence[str], into: Path) -> None:
        download(url, into / "archive")
        try:
            with tarfile.open(into / "archive") as archive:
                for name in names:
                    member = archive.extractfile(prefix + name)
                    if member is None:
                        raise ValueError(f"{prefix}{name} is no file")
                    with (into / name).open("wb") as file:
                        shutil.copyfileobj(member, file)
        except (tarfile.TarError, KeyError, EOFError, zlib.error) as error:
            raise ValueError(f"not the expected archive: {error}") from error

    return Source(url, fetch)


def debian_package(package: str, folder: str) -> Source:
    """A package of the system's apt sources that holds the files gzipped in `folder`.

    It is downloaded with apt's state and cache in private folders and unpacked, not installed: no root is needed.
    """

    def fetch(names: Sequence[str], into: Path) -> None:
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise FileNotFoundError("this system has no apt")
        (into / "state/lists/partial").mkdir(parents=True)
        (into / "cache/archives/partial").mkdir(parents=True)
        settings = {
            "Dir::State": into / "state",
            "Dir::Cache": into / "cache",
            "Acquire::http::Timeout": round(TIMEOUT),
            "APT::Sandbox::User": "root",  # apt run by root would else become a user who can't write here
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        with Progress(TextColumn("{task.description}"), BarColumn()) as progress:
            progress.add_task(f"Downloading Debian's package {package}", total=None)
            _run("apt-get", "--quiet=2", *options, "update", cwd=into)
            _run("apt-get", "--quiet=2", *options, "download", package, cwd=into)
            _run("dpkg-deb", "--extract", *(deb.name for deb in into.glob("*.deb")), "unpacked", cwd=into)
        folder_of_gz(into / "unpacked" / folder.lstrip("/")).fetch(names, into)

    return Source(f"Debian's package {package}", fetch)


def download(url: str, path: Path) -> None:
    """Write what `url` serves to `path`, with a progress bar.

    Raises:
        OSError: the address can't be reached, answers with an error, or falls silent for ten seconds.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response, Progress(*columns) as progress:
            size = response.headers.get("Content-Length")
            task = progress.add_task(f"Downloading {url.rpartition('/')[2]}", total=int(size) if size else None)
            with path.open("wb") as file:
                while chunk := response.read(1 << 18):
                    file.write(chunk)
                    progress.advance(task, len(chunk))
    except http.client.HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error


def _run(*command: str, cwd: Path) -> None:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if result.returncode:
        complaints = (result.stderr or result.stdout).strip().splitlines() or [f"exit code {result.returncode}"]
        raise OSError(f"{command[0]}: {complaints[-1]}")
