"""What is compiled, by a backend that notes it and runs the net's own operations; `-m slow` has the real one."""

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from classifiers import open_run
from classifiers.callbacks import TensorBoardCharts
from classifiers.experiment.runs.event_file import EventFile
from classifiers.inference import export, loading, prediction
from tests.conftest import SMALL
from tests.experiment.checkpoints.test_resume import FIT, content, differences, kill_and_resume, run_of
from tests.processes import finished, start
from tests.small_models import small, synthetic, trained

compiled: list[tuple[int, ...]] = []  # the shapes of the images of each graph


def note(graph: Any, inputs: list[Tensor]) -> Callable[..., Any]:
    compiled.append(next(tuple(part.shape) for part in inputs if part.ndim == 4))
    return graph.forward  # type: ignore[no-any-return]


def noted() -> None:
    """Let nets be compiled by `note` from here on."""
    compile_net = nn.Module.compile

    def compile_by_note(net: nn.Module, mode: str, dynamic: bool) -> None:
        assert mode in ("default", "reduce-overhead", "max-autotune")
        compile_net(net, backend=note, dynamic=dynamic)

    nn.Module.compile = compile_by_note  # type: ignore[method-assign, assignment]


@pytest.fixture(autouse=True)
def _noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(nn.Module, "compile", nn.Module.compile)  # which restores it
    noted()
    compiled.clear()
    yield
    torch._dynamo.reset()


def weights(**options: Any) -> dict[str, Tensor]:
    torch.manual_seed(0)
    data = synthetic(batch_size=64, eval_batch_size=50)
    model = small(data, average_flips=True, **options)
    trainer = trained(model, data)
    trainer.test(model, data, verbose=False)
    trainer.predict(model, data)
    return model.state_dict()


def test_only_full_training_batches_are_compiled_and_no_name_changes() -> None:
    as_it_is = weights()
    assert compiled == []
    in_graphs = weights(compile="default")
    assert compiled == [(64, 1, 16, 16)]  # not the last 40 of an epoch, nor anything of evaluation
    assert differences(as_it_is, in_graphs) == []


def test_a_copy_is_as_it_was_before() -> None:
    data = synthetic(batch_size=64)
    model = small(data, compile="reduce-overhead")
    trained(model, data, max_epochs=1)
    assert len(compiled) == 1
    copied = copy.deepcopy(model.net).train()
    copied(torch.zeros(64, 1, 16, 16))
    assert len(compiled) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--trainer.gradient_clip_val=0.1", "--trainer.accumulate_grad_batches=2"],
        ["--trainer.precision=bf16-mixed", "--model.channels_last=true"],
        ["--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.5"],
    ],
    ids=["clipped, accumulated", "bf16, channels last", "averaged"],
)
def test_a_fit_comes_to_the_same_and_its_checkpoint_is_used_as_ever(options: list[str], tmp_path: Path) -> None:
    fit = [*FIT, "--model.net=ConvNet", "--model.net.widths=[4]", "--trainer.max_epochs=2", *options]
    finished(tmp_path / "as it is", *fit)
    finished(tmp_path / "compiled", *fit, "--model.compile=default", before=noted)
    as_it_is, graph = (content(run_of(tmp_path / name)) for name in ("as it is", "compiled"))
    del as_it_is["best"]["hyper_parameters"], graph["best"]["hyper_parameters"]
    assert differences(as_it_is["best"]["state_dict"], graph["best"]["state_dict"]) == []
    assert as_it_is["csv"] == graph["csv"]
    checkpoint = run_of(tmp_path / "compiled") / "checkpoints/best.ckpt"
    model = loading.load_classifier(checkpoint, "cpu")
    images = torch.zeros(3, 1, 16, 16, dtype=torch.uint8)
    assert len(list(prediction.classify(model, list(images)))) == 3
    export.export(model, tmp_path / "x.pt2", images)
    assert compiled == []


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    recipe = ["--model.compile=default", "--trainer.max_epochs=2"]
    finished(tmp_path / "whole", *FIT, *recipe, before=noted)
    # it goes on at the last, short batch of an epoch
    run = kill_and_resume(tmp_path / "killed", recipe, "on_train_batch_start", 5, before=noted)
    assert differences(content(run_of(tmp_path / "whole")), content(run)) == []


@pytest.mark.slow
@pytest.mark.parametrize("processes", [[], ["--trainer.devices=2", "--trainer.strategy=ddp"]], ids=["one", "two"])
def test_a_real_graph(processes: list[str], tmp_path: Path) -> None:
    fit = [
        "fit",
        *SMALL,
        "--model.net=ConvNet",
        "--model.net.widths=[4]",
        *processes,
    ]
    losses = []
    for name, option in (("as it is", []), ("graph", ["--model.compile=default"])):
        folder = tmp_path / name
        folder.mkdir()
        command = [sys.executable, "-m", "classifiers", *fit, *option, "--trainer.default_root_dir=runs"]
        subprocess.run(command, cwd=folder, check=True)
        losses.append(open_run(run_of(folder)).metrics["val/loss"])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def no_compiler() -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found in torch._inductor")

    nn.Module.compile = fail  # type: ignore[method-assign]


def test_without_a_compiler_there_is_one_line(tmp_path: Path) -> None:
    running = start(tmp_path, "fit", *SMALL, "--model.compile=default", before=no_compiler)
    assert running.wait() == 2
    cure = "--model.compile needs a compiler, install one or leave it out"
    assert running.err.splitlines()[-1].startswith(f"error: {cure}: InvalidCxxCompiler: No working C++ compiler")


def test_tensorboard_shows_the_graph_of_a_compiled_net(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data, logger = synthetic(), EventFile(tmp_path)
    trained(small(data, compile="default"), data, logger=logger, log_every_n_steps=3, callbacks=[TensorBoardCharts()])
    assert len(compiled) == 1
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Tags()["graph"]
    assert "traced" not in capfd.readouterr().out
