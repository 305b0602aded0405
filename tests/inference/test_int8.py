import json
from pathlib import Path

import pytest
import torch

from classifiers.experiment.errors import UserError
from classifiers.inference.int8 import export_int8
from tests.conftest import Cli, Script
from tests.small_models import small, synthetic, trained

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")


def test_weights_are_of_8_bits_and_the_accuracies_are_those_of_the_validation_images(tmp_path: Path) -> None:
    data = synthetic()
    model = small(data)
    trained(model, data, max_epochs=6, log_every_n_steps=3)
    path = tmp_path / "x.onnx"
    found = export_int8(model, path, data, margin=0.05)
    kinds = {weight.data_type for weight in onnx.load(path).graph.initializer if len(weight.dims) == 2}
    assert kinds == {onnx.TensorProto.INT8}
    session = onnxruntime.InferenceSession(path)
    images, labels = data.val_set.first(len(data.val_set))
    (probabilities,) = session.run(None, {"images": images.numpy()})
    assert found.images == len(labels) == 40
    assert found.int8 == float((torch.from_numpy(probabilities).argmax(1) == labels).double().mean())
    with torch.inference_mode():
        assert found.float32 == float((model.eval()(images).argmax(1) == labels).double().mean()) > 0.5
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["int8"]) == found._asdict()
    assert json.loads(told["image_shape"]) == [1, 16, 16]


def test_what_loses_too_much_is_not_written(tmp_path: Path) -> None:
    data = synthetic()
    with pytest.raises(UserError, match=r"32 bits classify .*% of 40 validation images, and 8 bits .*: it is not"):
        export_int8(small(data), tmp_path / "x.onnx", data, margin=-1)
    assert not [*tmp_path.iterdir()]


def test_the_command_takes_the_data_of_the_run(fit: Cli, script: Script, tmp_path: Path) -> None:
    checkpoint = fit() / "checkpoints/best.ckpt"
    printed = script("export.py", str(checkpoint), str(tmp_path / "x.onnx"), "--int8", "--margin=1")
    assert "accuracy on 40 validation images: " in printed


@pytest.mark.parametrize(
    ("out", "moved", "line"),
    [
        ("x.pt2", False, "can't export to {}: a file of 8 bits is an ONNX model, and its name ends in .onnx"),
        ("x.onnx", True, "--int8 measures on the run's own data, and {} lies in no run folder"),
    ],
)
def test_a_mistake_is_one_line(
    out: str, moved: bool, line: str, fit: Cli, script: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = fit() / "checkpoints/best.ckpt"
    if moved:
        checkpoint = checkpoint.rename(tmp_path / "moved.ckpt")
    with pytest.raises(SystemExit) as exit_info:
        script("export.py", str(checkpoint), str(tmp_path / out), "--int8")
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == f"error: {line.format(checkpoint if moved else tmp_path / out)}\n"
    assert not (tmp_path / out).exists()
