from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from classifiers import ImageClassifier, load_classifier
from classifiers.inference.features import Features
from tests.conftest import Fails, Script
from tests.small_models import saved, synthetic


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for at, image in enumerate(synthetic(test_size=140).load(train=False)[0]):
        Image.fromarray(image[0].numpy()).save(tmp_path / f"photos/{at:03}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("flips", [False, True])
def test_they_are_what_the_head_is_given(flips: bool, photos: Path, script: Script, tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "x.ckpt", average_flips=flips)
    (photos / "050.png").write_text("no image")
    (photos / "051.png").unlink()
    with pytest.raises(SystemExit):
        script("predict.py", str(checkpoint), str(photos), "--features=new/f.npz", "--device=cpu")
    found = np.load("new/f.npz")
    model, images = load_classifier(checkpoint, "cpu"), synthetic(test_size=140).load(train=False)[0]
    at = [place for place in range(140) if place not in (50, 51)]
    assert found["paths"].tolist() == [f"{photos}/{place:03}.png" for place in at]
    assert found["class_names"].tolist() == [f"pattern {label}" for label in range(4)]
    with torch.inference_mode():
        expected = model.backbone(model.normalise(images[at]))
    assert found["features"].dtype == np.float32
    assert torch.allclose(torch.from_numpy(found["features"]), expected, atol=1e-5)


def test_of_torchvisions_nets() -> None:
    net = torchvision.models.VisionTransformer(16, 4, 1, 2, 8, 8, num_classes=3)
    features = Features(ImageClassifier(net, class_names="abc", image_shape=(3, 16, 16)).eval())
    features([Path("a"), Path("b")], torch.zeros(2, 3, 16, 16, dtype=torch.uint8), torch.zeros(2, 3))
    assert [tuple(rows.shape) for rows in features.rows] == [(2, 8)]


def test_what_cannot_be_written_is_one_line(photos: Path, fails: Fails, tmp_path: Path) -> None:
    saved(tmp_path / "x.ckpt")
    Path("file").touch()
    line = fails("predict-files", "x.ckpt", str(photos / "000.png"), "--features=file/f.npz")
    assert line == "error: can't write file/f.npz (File exists): give another --features"
