import subprocess
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch
from PIL import Image

from classifiers import ConvNet, ImageClassifier, load_classifier
from classifiers.inference import explanations
from classifiers.inference.grad_cam import heat
from tests.conftest import Cli, Fails, Script
from tests.small_models import synthetic


@pytest.fixture
def checkpoint(fit: Cli) -> Path:
    net = ["--model.net=ConvNet", "--model.net.widths=[8, 16]"]
    return fit(*net, "--trainer.max_epochs=1", "--trainer.enable_progress_bar=false") / "checkpoints/best.ckpt"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Synthetic test images, 150 in a folder and one of the name of the first in another."""
    images, _ = synthetic(test_size=150).load(train=False)
    for path, image in [*((f"a/{at}.png", image) for at, image in enumerate(images)), ("b/0.png", images[7])]:
        (tmp_path / "photos" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(tmp_path / "photos" / path)
    return tmp_path / "photos"


def test_each_picture_is_drawn_under_its_name(
    checkpoint: Path, photos: Path, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, draw = [], explanations.heat_over
    monkeypatch.setattr(explanations, "heat_over", lambda *given: drawn.append(given) or draw(*given))
    files = [str(photos / "a/0.png"), str(photos / "a/3.png"), str(photos / "b")]
    printed = script("predict.py", str(checkpoint), *files, "--explain=new/seen", "--device=cpu", "--top=1")
    assert sorted(path.name for path in Path("new/seen").iterdir()) == ["0-2.png", "0.png", "3.png"]
    model = load_classifier(checkpoint, "cpu")
    for line, (image, warm, title) in zip(printed.splitlines(), drawn, strict=True):
        with torch.no_grad():
            sure, label = model.probabilities(model(image[None])).max(1)
        assert title == f"{model.class_names[label]} {sure.item():.1%}"
        assert title.split() == [*line.split()[1:3], f"{sure.item():.1%}"]
        assert torch.allclose(warm, heat(model, image[None], label)[0], atol=1e-5)
    picture = matplotlib.image.imread("new/seen/0.png")
    assert picture.shape[1] == 800
    left, right = picture[:, :400, :3], picture[:, 400:, :3]
    assert np.ptp(left, axis=2).max() == 0  # grey
    assert np.ptp(right, axis=2).max() > 0.2


@pytest.mark.slow
def test_many_pictures_over_batches(checkpoint: Path, photos: Path, script: Script) -> None:
    script("predict.py", str(checkpoint), str(photos), "--explain=seen")
    assert len([*Path("seen").iterdir()]) == 151


def test_a_net_without_a_feature_map_is_one_line(fit: Cli, photos: Path, fails: Fails) -> None:
    checkpoint = fit("--trainer.max_epochs=1") / "checkpoints/best.ckpt"
    line = fails("predict-files", str(checkpoint), str(photos), "--explain=seen", "--csv=x.csv")
    assert line.startswith("error: MLP makes no feature map (B, C, h, w), over which it could be explained")


def test_the_pictures_stay_what_they_are(checkpoint: Path, photos: Path, fails: Fails) -> None:
    line = fails("predict-files", str(checkpoint), str(photos / "a"), f"--explain={photos}/a")
    assert line == f"error: --explain {photos}/a is the folder of pictures to classify: name another one"


def test_a_folder_that_cannot_be_written_is_one_line(checkpoint: Path, photos: Path, fails: Fails) -> None:
    Path("file").touch()
    line = fails("predict-files", str(checkpoint), str(photos / "a/1.png"), "--explain=file/seen")
    assert line == "error: can't write to file/seen (Not a directory): name another folder with --explain"


def test_no_room_is_one_line(checkpoint: Path, photos: Path, small_disk: Path, fails: Fails) -> None:
    subprocess.run(["mount", "-o", "remount,size=4k", small_disk], check=True)
    line = fails("predict-files", str(checkpoint), str(photos / "a/1.png"), f"--explain={small_disk}")
    assert line == f"error: can't write {small_disk}/1.png (No space left on device): give another --explain"


def test_names_of_pictures_that_differ_in_their_ending_alone(tmp_path: Path) -> None:
    model = ImageClassifier(ConvNet(1, 16, 2, widths=(4,)), class_names=["a", "b"], image_shape=(1, 16, 16)).eval()
    explained = explanations.Explanations(model, tmp_path / "seen", [])
    paths = [Path("x/1.jpg"), Path("x/1.png"), Path("y/1.jpg"), Path("2.jpg")]
    explained(paths, torch.zeros(4, 1, 16, 16, dtype=torch.uint8), torch.tensor([[0.25, 0.75]] * 4))
    assert {path.name for path in (tmp_path / "seen").iterdir()} == {"1.png", "1-2.png", "1-3.png", "2.png"}
