import pytest
import torch
from lightning.pytorch import Trainer

from classifiers import MLP, ConvNet, ImageClassifier
from classifiers.experiment.mends.steps import NoProfiler
from classifiers.experiment.training.speed import bf16_is_fast, unused_speed
from tests.conftest import Cli
from tests.small_models import QUIET


def processor(monkeypatch: pytest.MonkeyPatch, **capabilities: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


@pytest.mark.parametrize(
    ("capabilities", "fast"),
    [({}, False), ({"avx512_bf16": False}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)],
)
def test_bf16_needs_instructions_for_it(
    capabilities: dict[str, bool], fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, **capabilities)
    assert bf16_is_fast(torch.device("cpu")) is fast


def test_the_faster_settings_that_are_unused_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, amx_bf16=True)
    fp32, bf16 = Trainer(**QUIET), Trainer(**QUIET, precision="bf16-mixed")
    wide = ConvNet(3, 16, 4, widths=(32, 32))
    layout = "--model.channels_last true"
    precision = "--trainer.precision bf16-mixed"
    assert unused_speed(fp32, ImageClassifier(wide)) == f"{precision} {layout}"
    assert unused_speed(fp32, ImageClassifier(wide, channels_last=True)) == precision
    assert unused_speed(bf16, ImageClassifier(wide, channels_last=True)) is None
    assert unused_speed(fp32, ImageClassifier(MLP(1, 16, 4))) is None
    assert unused_speed(fp32, ImageClassifier(ConvNet(3, 16, 4, widths=(8, 8)))) is None
    processor(monkeypatch)
    assert unused_speed(fp32, ImageClassifier(wide)) == layout


def test_a_fit_says_so(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    wide = ["--model.net=ConvNet", "--model.net.widths=[32]", "--trainer.precision=bf16-mixed"]
    fit(*wide, "--trainer.max_epochs=1", "--trainer.enable_progress_bar=true")
    assert "faster with   --model.channels_last true" in capsys.readouterr().out


def test_no_profiler_hands_out_one_context_that_does_nothing() -> None:
    profiler = NoProfiler()
    with profiler.profile("a") as a, profiler.profile("b") as b:
        assert a is b is None
    assert profiler.summary() == ""
