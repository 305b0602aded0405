import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from classifiers import MLP, ConvNet, ImageClassifier, ImageDataModule
from classifiers.experiment.errors import UserError
from classifiers.inference.export import WRITERS, export, images_to_check
from tests.conftest import Cli
from tests.small_models import small, synthetic, trained

PREPARATION = {
    "jpeg_draft": {"least_width": 64, "least_height": 64},
    "exif_orientation": "applied",
    "background": "white",
    "mode": "L",
    "colour_space": "sRGB",
    "bits": 8,
    "width": 16,
    "height": 16,
    "aspect_ratio": "as it comes",
    "pillow": "Image.resize",
    "filter": "bilinear",
    "antialiasing": True,
    "axes": "NCHW",
    "channels": ["grey"],
    "dtype": "uint8",
    "range": [0, 255],
}
METADATA = {
    "class_names": '["pattern 0", "pattern 1", "pattern 2", "pattern 3"]',
    "image_shape": "[1, 16, 16]",
    "preparation": json.dumps(PREPARATION),
}
ENDINGS = ["onnx", "pt2"]


def probabilities(path: Path, images: Tensor) -> tuple[Tensor, dict[str, str]]:
    """What the exported file makes of `images`, and its metadata, without this package."""
    if path.suffix == ".pt2":
        metadata = dict.fromkeys(METADATA, "")
        return torch.export.load(path, extra_files=metadata).module()(images), metadata
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    (found,) = session.run(["probabilities"], {"images": images.numpy()})
    return torch.from_numpy(found), session.get_modelmeta().custom_metadata_map


def exports_alike(model: ImageClassifier, path: Path) -> None:
    if path.suffix == ".onnx":
        pytest.importorskip("onnxscript")
    images, _ = synthetic().load(train=False)
    assert export(model, path, images) < 1e-5
    with torch.inference_mode():
        expected = model.eval()(images).softmax(1)
    for count in (1, 130):
        found, metadata = probabilities(path, images[:count])
        assert torch.allclose(found, expected[:count], atol=1e-5)
        assert metadata == METADATA
    assert [file.name for file in path.parent.glob("*.*")] == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_raw_pixels_go_in_and_probabilities_come_out(ending: str, tmp_path: Path) -> None:
    data = synthetic()
    net = ConvNet(data.in_channels, data.image_size, data.num_classes, widths=(4, 8))
    settings: dict[str, Any] = {"channels_last": True, "average_flips": True, "mean": data.mean, "std": data.std}
    model = ImageClassifier(net, **settings, class_names=data.class_names, image_shape=data.image_shape)
    exports_alike(model, tmp_path / f"x.{ending}")


def test_of_images_that_no_picture_makes_nothing_is_said(tmp_path: Path) -> None:
    data = synthetic(in_channels=2)
    export(small(data), tmp_path / "x.pt2", data.load(train=False)[0])
    metadata = {"image_shape": ""}  # it gets all others too
    torch.export.load(tmp_path / "x.pt2", extra_files=metadata)
    assert metadata == {"class_names": METADATA["class_names"], "image_shape": "[2, 16, 16]"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_compiled_run(ending: str, tmp_path: Path) -> None:
    data = synthetic()
    model = small(data)
    model.net.compile(backend="eager")
    trained(model, data, max_epochs=1).save_checkpoint(tmp_path / "checkpoint")
    assert set(torch.load(tmp_path / "checkpoint", weights_only=True)["state_dict"]) == set(small(data).state_dict())
    exports_alike(model, tmp_path / f"x.{ending}")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "options",
    [["--trainer.precision=bf16-mixed"], ["--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.5"]],
)
def test_a_bf16_or_averaged_run(options: list[str], ending: str, fit: Cli, tmp_path: Path) -> None:
    checkpoint = fit(*options, "--trainer.max_epochs=1") / "checkpoints/best.ckpt"
    model = ImageClassifier.load_from_checkpoint(checkpoint, weights_only=True)
    exports_alike(model, tmp_path / f"x.{ending}")


@pytest.mark.parametrize("wrong", [0.9, float("nan")])
def test_an_export_that_disagrees_is_not_written(wrong: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WRITERS, ".pt2", lambda *_: lambda batch: torch.full((len(batch), 4), wrong))
    images, _ = synthetic().load(train=False)
    with pytest.raises(
        UserError,
        match=r"x\.pt2 would hold differs from PyTorch by (0\.\d+|nan), more than 0\.0001: it is not written$",
    ):
        export(small(synthetic()), tmp_path / "x.pt2", images)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.tflite", "x", "x.onnx.gz"])
def test_an_unknown_ending(name: str, tmp_path: Path) -> None:
    images, _ = synthetic().load(train=False)
    with pytest.raises(UserError, match=rf"^can't export to .*/{name}: its name must end in \.onnx or \.pt2$"):
        export(small(synthetic()), tmp_path / name, images)


def test_onnx_without_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    images, _ = synthetic().load(train=False)
    with pytest.raises(UserError, match=r'^ONNX needs more packages: pip install -e "\.\[export\]" \('):
        export(small(synthetic()), tmp_path / "x.onnx", images)
    assert list(tmp_path.iterdir()) == []


class StripesDataModule(ImageDataModule):
    in_channels, image_size, class_names, mean, std = 1, 4, ("up", "down"), (0.5,), (0.5,)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        if not (self.root / "stripes").exists():
            raise FileNotFoundError
        return torch.arange(48, dtype=torch.uint8).view(3, 1, 4, 4), torch.zeros(3)


class HungryDataModule(StripesDataModule):
    class_names = ("left", "right")

    def __init__(self, food: str) -> None:
        super().__init__()


class BrokenDataModule(StripesDataModule):
    class_names = ("left", "right")

    def __init__(self) -> None:
        raise RuntimeError("it is nobody's")


class PropertyDataModule(StripesDataModule):
    @property
    def class_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("left", "right")


def test_a_data_module_that_cannot_be_made_as_it_is_is_passed_over() -> None:
    model = ImageClassifier(MLP(1, 4, 2), class_names=("left", "right"), image_shape=(1, 4, 4))
    assert images_to_check(model)[1] == "images of noise"


def test_it_is_checked_on_test_images_of_its_data_set_or_else_on_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.data.image_data_module.project_root", lambda: tmp_path)
    stripes = StripesDataModule()
    net = MLP(1, 4, 2, hidden=[2])
    model = ImageClassifier(net, class_names=stripes.class_names, image_shape=stripes.image_shape)
    noise, what = images_to_check(model)
    assert what == "images of noise"
    assert noise.shape == (1000, 1, 4, 4)
    assert torch.equal(noise, images_to_check(model)[0])
    assert (noise.min(), noise.max()) == (0, 255)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/stripes").touch()
    images, what = images_to_check(model, 2)
    assert what == "test images of StripesDataModule"
    assert images.flatten().tolist() == list(range(32))
    larger = ImageClassifier(MLP(1, 5, 2), class_names=stripes.class_names, image_shape=(1, 5, 5))
    assert images_to_check(larger)[0].shape == (1000, 1, 5, 5)
