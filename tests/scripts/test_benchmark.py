"""The parts that measure, and one real measurement of each loop on a few synthetic images."""

import json
import os
from pathlib import Path

import pytest
import torch
import yaml
from benchmark import table, write
from benchmarks import gpu
from benchmarks.clock import Clock
from benchmarks.equal_time import draw
from benchmarks.measure import CONFIGS, Bench, Row, Timing, fit, loop, python
from benchmarks.plain import RECIPES
from rich.console import Console

from classifiers import MLP, LeNet
from tests.conftest import SMALL, Script


def test_sides_are_measured_in_turns_and_give_their_medians() -> None:
    told: list[str] = []
    values = {"a": iter([3.0, 1.0, 2.0]), "b": iter([10.0, 30.0, 20.0])}
    medians = Bench(Path(), 3, told.append).in_turns({name: lambda v=v: next(v) for name, v in values.items()})
    assert medians == {"a": 2.0, "b": 20.0}
    assert told == [f"{name}, round {turn} of 3" for turn in (1, 2, 3) for name in ("a", "b")]


def test_a_step_takes_what_those_after_the_warm_up_take() -> None:
    steps = [100.0, 150.0, *(150.0 + 2 * step for step in range(1, 11))]  # a sixth of twelve: two
    assert Timing(0, 0, steps, [], 0, {}).seconds_a_step == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "met"),
    [(1.2, 1.2, None, True), (1.1, 1.2, None, False), (1.1, None, 1.1, True), (1.2, 0.9, 1.1, False)],
)
def test_a_target_is_met_within_its_bounds(
    value: float, at_least: float | None, at_most: float | None, met: bool
) -> None:
    assert Row("s", "c", "", "", value, at_least, at_most).met is met
    assert Row("s", "c", "", "", value).met is None


def test_the_table_is_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Row("loader", "x", "2 ms", "3 ms", 1.5, 2.0), Row("start-up", "y", "", "", 1.0, None, 1.15)]
    Console(width=100).print(table(rows))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.strip().splitlines()]
    assert lines[2:] == [
        ["loader", "x", "2 ms", "3 ms", "1.5×", "≥ 2", "**no**"],
        ["start-up", "y", "", "", "1×", "≤ 1.15", "yes"],
    ]


def test_results_are_written_with_the_machine_that_gave_them(tmp_path: Path) -> None:
    write(tmp_path / "b.json", [Row("s", "c", "1", "2", 0.5, 1.0)], Bench(tmp_path, 3, print))
    content = json.loads((tmp_path / "b.json").read_text())
    assert content["machine"].keys() == {"cpu", "gpu", "cores", "python", "torch", "rounds"}
    assert content["rows"][0]["value"] == 0.5
    assert content["rows"][0]["met"] is False


def test_the_clock_ends_the_program_after_its_steps(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock.json", 2)
    clock.start()
    clock.step()
    with pytest.raises(SystemExit):
        clock.step()
    assert len(json.loads((tmp_path / "clock.json").read_text())["steps"]) == 2


def test_the_picture(tmp_path: Path) -> None:
    curve = {"seconds": [1, 2], "accuracy": [0.5, 0.6], "test": 0.61}
    names = ("garment", "fashion_mnist_strong", "lenet_cifar10", "cifar10")
    draw({name: [curve, curve] for name in names}, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_plain_loop_trains_the_net_of_its_config(recipe: str) -> None:
    config = yaml.safe_load((CONFIGS / f"tutorials/{recipe}.yaml").read_text())
    arguments = config["model"]["net"].get("init_args", {})
    channels, size = (3, 32) if recipe == "lenet_cifar10" else (1, 28)
    net = {"LeNet": LeNet, "MLP": MLP}[config["model"]["net"]["class_path"]](channels, size, 10, **arguments)
    shapes = [tuple(parameter.shape) for parameter in net.parameters()]
    assert shapes == [tuple(parameter.shape) for parameter in RECIPES[recipe].net().parameters()]
    assert RECIPES[recipe].batch_size == config["data"]["init_args"]["batch_size"]
    assert RECIPES[recipe].epochs == config["trainer"]["max_epochs"]


def test_a_program_that_fails_is_an_error_with_its_words() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        python("-c", "raise SystemExit('no such luck')")


def test_mistakes_are_found_before_anything_is_measured(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    for options, line in (
        (["--rounds=0"], "--rounds is 0: it must be at least 1"),
        (["--out=/proc/x"], "can't write to /proc"),
    ):
        with pytest.raises(SystemExit) as exit_info:
            script("benchmark.py", *options)
        assert exit_info.value.code == 2
        assert f"error: {line}" in capsys.readouterr().err


def test_a_recipe_for_a_gpu_is_told_with_its_spread_and_its_first_step_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def fitted(*options: str) -> Timing:
        seed = int(options[-1].rpartition("=")[2])
        return Timing(0, 100, [130, 131], [], 0, {"test/acc": 0.94 + 0.001 * seed, "seconds": 34.0 + seed})

    monkeypatch.setattr(gpu, "fit", fitted)
    accuracy, seconds = gpu._recipe(Bench(Path(), 1, str), "cifar10", 0.94, 5)
    assert (accuracy.ours, accuracy.met) == ("94.20% ± 0.16%, 5 seeds", True)
    assert (seconds.ours, seconds.theirs, seconds.met) == ("6.00 s", "first step 30.0 s", False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("section", ["gpu", "gpu-recipes"])
def test_without_a_gpu_its_sections_are_one_line(
    section: str, script: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        script("benchmark.py", "--only", section, f"--out={tmp_path}/b.json")
    assert exit_info.value.code == 2
    line = "error: there is no CUDA GPU here: leave gpu and gpu-recipes out of --only"
    assert capsys.readouterr().err.splitlines()[-1] == line


@pytest.mark.slow
def test_every_loop_makes_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    loops = ("bare", "graphed", "barebones")
    timings = [fit(*SMALL, steps=12), *(loop(name, *SMALL, steps=12) for name in loops)]
    for timing in timings:
        assert len(timing.steps) == 12
        assert timing.begun < timing.started < timing.steps[0] < timing.steps[-1]
        assert timing.memory > 100
    whole = fit(*SMALL)
    assert len(whole.epochs) == 2
    assert whole.result["test/acc"] > 0.5
