import os
import time
from pathlib import Path

import pytest
import torch
import yaml

from classifiers import fit
from classifiers.experiment.training.threads import Threads
from tests.conftest import SMALL, Cli, Fails
from tests.small_models import small, synthetic, trained

LINE = "the machine is busy (load 6.0 on 2 cores): the 2 threads of a step wait for each other; --threads 1 doesn't"


@pytest.fixture(autouse=True)
def _as_before() -> object:
    yield
    torch.set_num_threads(1)


def test_a_fit_computes_in_its_threads_and_its_config_says_so(fit: Cli) -> None:
    folder = fit("--threads=2")
    assert torch.get_num_threads() == 2
    assert yaml.safe_load((folder / "config.yaml").read_text())["threads"] == 2
    torch.set_num_threads(1)
    fit("--trainer.max_epochs=1")
    assert torch.get_num_threads() == 1


def test_from_python_too_where_it_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    data = synthetic()
    run = fit(small(data), data, threads=2, max_epochs=1, accelerator="cpu", default_root_dir=tmp_path, figures=False)
    assert run.config["threads"] == 2
    assert torch.get_num_threads() == 1


def test_none_is_a_mistake(fails: Fails) -> None:
    assert fails("fit", *SMALL, "--threads=0") == "error: --threads is 0: it must be at least 1"


@pytest.mark.parametrize(
    ("threads", "load", "used", "told"),
    [(2, 6.0, 0.8, True), (2, 6.0, 1.9, False), (2, 1.5, 0.8, False), (1, 6.0, 0.3, False)],
)
def test_waiting_threads_are_told_of_once(
    threads: int,
    load: float,
    used: float,
    told: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds = iter(range(0, 10_000, 6))
    now = 0.0

    def clock() -> float:
        nonlocal now
        now = next(seconds)
        return now

    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "process_time", lambda: used * now)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    data = synthetic()
    trained(small(data), data, callbacks=[Threads(threads)])
    assert capsys.readouterr().out.splitlines().count(LINE) == told
