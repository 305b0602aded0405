"""What all tests share: no work outside of a temporary folder, and a small fit from the command line."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from classifiers.cli import main
from classifiers.experiment.paths import project_root

REAL_DATA = project_root() / "data"
SMALL = [
    "--data=SyntheticDataModule",
    "--data.batch_size=64",
    "--data.train_size=400",
    "--data.test_size=130",
    "--data.image_size=16",
    "--data.num_classes=4",
    "--model.net=MLP",
    "--model.net.hidden=[8]",
    "--trainer.accelerator=cpu",
    "--trainer.max_epochs=2",
    "--trainer.log_every_n_steps=3",
    "--trainer.enable_model_summary=false",
    "--figures=false",
]

COMMANDS = {"fit", "validate", "test", "predict"}

Cli = Callable[..., Path]
Fails = Callable[..., str]
Script = Callable[..., str]
Promise = Callable[[str], None]
KEPT = pytest.StashKey[list[str]]()


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small nets gain nothing by threads, and lose much where another process wants the cores."""
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _no_ranks() -> Iterator[None]:
    """What Lightning leaves behind where it sets up several processes, and would make the next wait for others."""
    yield
    for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _in_a_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a test writes beside itself stays."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def fit(tmp_path: Path) -> Cli:
    """Fit a small net on synthetic images with the given further arguments; returns the run folder."""

    def run(*arguments: str) -> Path:
        before = set((tmp_path / "runs").glob("*/*"))
        main(["fit", *SMALL, f"--trainer.default_root_dir={tmp_path / 'runs'}", *arguments])
        (folder,) = set((tmp_path / "runs").glob("*/*")) - before
        return folder

    return run


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of one small fit that all tests share, to copy from."""
    root = tmp_path_factory.mktemp("fitted")
    main(["fit", *SMALL, f"--trainer.default_root_dir={root}"])
    (folder,) = root.glob("*/*")
    return folder


@pytest.fixture
def fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """Run a command line that is a user's mistake; returns its one line.

    Run and data folders stand in the current folder, which must be left as it was.
    """

    def run(*arguments: str) -> str:
        command, options = arguments[:1], arguments[1:]
        root = ["--trainer.default_root_dir=runs"] if set(command) & COMMANDS else []
        before = listing(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            main([*command, *root, *options])
        assert exit_info.value.code == 2
        assert listing(tmp_path) == before
        (line,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Seed set to")]
        return line

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def listing(folder: Path) -> dict[Path, tuple[int, int] | None]:
    """All that is in a folder, files with their size and time of change; but for the lock beside a data set."""
    found = [path for path in folder.rglob("*") if path.name != ".lock"]
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else None for path in found}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Script:
    """Run a script of `scripts/` in this process with the given arguments; returns what it printed."""

    def run(name: str, *arguments: str) -> str:
        path = project_root() / "scripts" / name
        monkeypatch.setattr(sys, "argv", [str(path), *arguments])
        capsys.readouterr()
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as exit_info:
            if exit_info.code:
                raise
        return capsys.readouterr().out

    return run


@pytest.fixture
def promise(request: pytest.FixtureRequest) -> Promise:
    """Note what a test has really tried; the end of the test run prints it."""
    return request.config.stash.setdefault(KEPT, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(KEPT, []):
        terminalreporter.write_line(line)
