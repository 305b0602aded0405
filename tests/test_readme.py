"""What the README shows works as it stands there."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from classifiers import classify
from classifiers.experiment.paths import project_root
from classifiers.inference.export import export
from tests.conftest import Cli, Script
from tests.processes import start
from tests.small_models import small, synthetic

README = (project_root() / "README.md").read_text()
FITS, EXPORTED = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
IMPORTS, OBJECTS, CONFIG = FITS.split("\n\n")


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 180


def run(code: Sequence[str]) -> None:
    exec(code[0], {})


HERE = 'default_root_dir="."'


def test_its_python_runs(tmp_path: Path) -> None:
    small = f"{IMPORTS}\n{OBJECTS}".replace("FashionMNISTDataModule", "SyntheticDataModule").replace(
        "max_epochs=5", f"max_epochs=1, {HERE}"
    )
    assert small.count("SyntheticDataModule") == 2
    running = start(tmp_path, small, program=run)
    assert running.wait() == 0, running.err
    assert "'test/acc'" in running.out
    assert (tmp_path / "mistakes.png").exists()
    assert (tmp_path / "batch.png").exists()


def test_its_config_is_fitted_and_goes_on(tmp_path: Path) -> None:
    """As the README says it, of a config of small synthetic images."""
    config = "data: {class_path: SyntheticDataModule, init_args: {image_size: 16, num_classes: 4}}"
    (tmp_path / "small.yaml").write_text(f"{config}\nmodel: {{net: MLP}}\n")
    (tmp_path / "photos").mkdir()
    for name in ("shoe.jpg", "photos/shirt.png"):
        Image.new("L", (40, 30)).save(tmp_path / name)
    small = CONFIG.replace("configs/cifar10.yaml", "small.yaml").replace(
        "0.1}", '0.1, "trainer.default_root_dir": "."}'
    )
    running = start(tmp_path, f"{IMPORTS}\n{small}", program=run)
    assert running.wait() == 0, running.err
    first, second = running.out.splitlines()[-2:]
    assert first.startswith("shoe.jpg pattern ")
    assert second.startswith("photos/shirt.png pattern ")
    assert "epoch 4/4" in running.out


def test_the_reading_path_is_short() -> None:
    path = re.findall(r"`([\w/]+\.(?:py|yaml))`", README.partition("in this order: ")[2].partition("\n\n")[0])
    places = [project_root(), project_root() / "src/classifiers"]
    files = [place / name for name in path for place in places if (place / name).exists()]
    assert len(files) == 12
    assert sum(len(file.read_text().splitlines()) for file in files) <= 1000


def test_its_checkpoint_is_used(fit: Cli, script: Script) -> None:
    pytest.importorskip("onnxscript")
    shutil.copy(fit("--model.net=ConvNet", "--model.net.widths=[8]") / "checkpoints/best.ckpt", "x.ckpt")
    Path("photos").mkdir()
    for name in ("shoe.jpg", "photos/shirt.png"):
        Image.new("L", (40, 30)).save(name)
    commands = re.findall(r"^    python scripts/((?:predict|export)\.py [^#\n]*)", README, re.MULTILINE)
    printed = [script(*command.replace("runs/…/checkpoints/best.ckpt", "x.ckpt").split()) for command in commands]
    assert [text.splitlines()[0].split()[0] for text in printed] == ["shoe.jpg", "photos/shirt.png", "shirts.onnx"]
    assert Path("maps").is_dir()
    assert Path("features.npz").exists()


def test_its_paths_exist() -> None:
    tree = re.findall(r"^((?:configs|scripts|src|tests)/[^\s{]*)(?:{(\S*)}/)?", README, re.MULTILINE)
    paths = [start + name for start, names in tree for name in names.split(",")]
    assert len(paths) >= 15
    assert [path for path in paths if not (project_root() / path).exists()] == []


def test_its_commands_parse(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project_root())
    commands = re.findall(r"^python scripts/(fit\.py[^#\n]*)", README, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        assert "trainer:" in script(*command.split(), "--print_config")


def save_pictures() -> list[str]:
    """Pictures of many kinds, by their names: all but the last two are not of the size that a net wants."""
    draw = np.random.default_rng(0)
    rows, columns = np.mgrid[:90, :120]
    waves = 127 + 90 * np.sin(np.stack([rows / 9, columns / 7, (rows + columns) / 5], -1))
    photo = Image.fromarray((waves + draw.normal(0, 20, waves.shape)).clip(0, 255).astype(np.uint8))
    upright = Image.Exif()
    upright[0x0112] = 6  # the camera was held upright
    alpha = Image.fromarray((2 * columns).astype(np.uint8))
    palette = photo.quantize(16)
    saved: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "grey.png": (photo.convert("L"), {}),
        "grey.jpg": (photo.convert("L"), {}),
        "line art.png": (photo.convert("1"), {}),
        "photo.png": (photo, {}),
        "photo.jpg": (photo, {}),
        "photo.webp": (photo, {}),
        "photo.bmp": (photo, {}),
        "palette.gif": (palette, {}),
        "palette.png": (palette, {"transparency": 3}),
        "veil.png": (Image.merge("RGBA", (*photo.split(), alpha)), {}),
        "grey veil.png": (Image.merge("LA", (photo.convert("L"), alpha)), {}),
        "inks.jpg": (photo.convert("CMYK"), {}),
        "inks.tif": (photo.convert("CMYK"), {}),
        "turned.jpg": (photo, {"exif": upright}),
        "turned.png": (photo, {"exif": upright}),
        "large.jpg": (photo.resize((2400, 1800)), {"quality": 90}),
        "large turned.jpg": (photo.resize((2400, 1800)), {"exif": upright, "progressive": True}),
        "large.png": (photo.resize((1200, 900)), {}),
        "tiny.png": (photo.resize((3, 2)), {}),
        "shoe.png": (photo.resize((16, 16)), {}),
    }
    for name, (image, how) in saved.items():
        image.save(name, **how)
    return [*saved]


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_prepared_for_an_exported_file_as_for_predictions(
    channels: int, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    data = synthetic(in_channels=channels)
    model = small(data).eval()
    export(model, Path("shirts.onnx"), data.load(train=False)[0])
    names = save_pictures()
    for name, probabilities in classify(model, names):
        found: dict[str, Any] = {}
        exec(EXPORTED.replace("shoe.jpg", name), found)
        assert np.allclose(found["probabilities"], probabilities, atol=1e-5), name
        assert capsys.readouterr().out == f"{model.class_names[probabilities.argmax()]}\n"
