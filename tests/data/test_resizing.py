import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from classifiers import ImageFolderDataModule, classify, load_classifier
from classifiers.cli import main
from classifiers.data.image_files import read_image
from classifiers.data.resizing import Resize, padded, scaled
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL, Fails, Script
from tests.photos import write_photos

RESIZES: list[Resize] = ["squash", "crop", "pad"]
STRIPES = np.repeat(np.arange(0, 240, 40, dtype=np.uint8), 2)[None].repeat(4, 0)  # (4, 12): six stripes, 2 wide


def read(path: Path, shape: tuple[int, int, int], resize: Resize) -> Any:
    return read_image(path, shape, resize)[0].tolist()


def test_each_way_to_make_a_wide_picture_square(tmp_path: Path) -> None:
    Image.fromarray(STRIPES).save(tmp_path / "x.png")
    assert read(tmp_path / "x.png", (1, 4, 4), "crop") == [[80, 80, 120, 120]] * 4
    pad = read(tmp_path / "x.png", (1, 12, 12), "pad")
    assert pad == [[255] * 12] * 4 + STRIPES.tolist() + [[255] * 12] * 4
    squash = read_image(tmp_path / "x.png", (1, 12, 12), "squash")[0]
    assert squash.tolist() == STRIPES[:1].repeat(12, 0).tolist()


def test_a_high_picture_is_turned_before(tmp_path: Path) -> None:
    """By its EXIF data: what is too long is what is too long as it is seen."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(STRIPES).save(tmp_path / "x.png", exif=exif)
    assert read(tmp_path / "x.png", (1, 4, 4), "crop") == [[80] * 4, [80] * 4, [120] * 4, [120] * 4]
    pad = read(tmp_path / "x.png", (1, 12, 12), "pad")
    assert pad == [[255] * 4 + [stripe] * 4 + [255] * 4 for stripe in STRIPES[0].tolist()]


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK"])
@pytest.mark.parametrize("size", [(30, 20), (20, 30), (7, 201), (24, 24), (12, 16)])
def test_it_is_what_pillow_makes_of_it(size: tuple[int, int], mode: str, resize: Resize, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    image = Image.fromarray(draw.integers(256, size=(size[1], size[0], 3), dtype=np.uint8)).convert(mode)
    name = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    image.save(name)
    pillow: dict[str, Any] = {"squash": Image.Image.resize, "crop": ImageOps.fit, "pad": ImageOps.pad}
    white = {"color": "white"} if resize == "pad" else {}
    expected = pillow[resize](image.convert("RGB"), (12, 16), Image.Resampling.BILINEAR, **white)
    assert torch.equal(read_image(name, (3, 16, 12), resize), torch.from_numpy(np.array(expected)).movedim(2, 0))


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("size", [(8000, 1), (1, 8000)])
def test_a_picture_of_one_line_stays_one(size: tuple[int, int], resize: Resize) -> None:
    image = padded(scaled(Image.new("L", size, 9), (8, 8), resize), (8, 8))
    assert image.size == (8, 8)
    assert image.histogram()[9] == (8 if resize == "pad" else 64)


@pytest.mark.parametrize("resize", RESIZES)
def test_a_large_jpeg_is_decoded_at_a_fraction_that_is_large_enough(resize: Resize, tmp_path: Path) -> None:
    """Its shorter side is no less than 4 times as long as that of the result."""
    rows, columns = np.mgrid[:400, :3200]
    waves = (127 + 90 * np.sin(rows / 40) * np.sin(columns / 60)).astype(np.uint8)
    Image.fromarray(waves).save(tmp_path / "x.jpg", quality=95)
    Image.fromarray(waves).save(tmp_path / "x.png")
    jpeg, png = (read_image(tmp_path / name, (1, 16, 16), resize).int() for name in ("x.jpg", "x.png"))
    assert (jpeg - png).abs().max() <= 2


def test_photos_of_one_shape_are_alike_in_every_way(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 20)
    for resize in RESIZES:
        memory, streamed = (
            ImageFolderDataModule(photos, image_size=12, resize=resize, **kind) for kind in ({}, STREAMED)
        )
        assert (memory.resize, memory.mean) == (resize, streamed.mean)
        memory.setup("test")
        streamed.setup("test")
        expected = torch.stack([read_image(path, (3, 12, 12), resize) for path in memory.test_paths])
        assert torch.equal(memory.test_set.first(99)[0], expected)
        assert torch.equal(torch.cat([batch for batch, _ in streamed.test_dataloader()]), expected)
    with pytest.raises(UserError, match="^--data.resize is fit: it must be squash, crop or pad$"):
        ImageFolderDataModule(photos, resize="fit")  # type: ignore[arg-type]


STREAMED: dict[str, Any] = {"memory_limit": 0, "cache": False, "num_workers": 2}


FIT = ["fit", *(option for option in SMALL if not option.startswith("--data"))]
DATA = ["--data=ImageFolderDataModule", "--data.image_size=16", "--data.root=photos", "--data.mean=[0.5,0.5,0.5]"]
DATA += ["--data.std=[0.2,0.2,0.2]"]


@pytest.fixture
def cropped(tmp_path: Path) -> Path:
    """The run folder of a fit of photos that are cropped."""
    write_photos(tmp_path / "photos", 30)
    main([*FIT, *DATA, "--data.resize=crop", "--trainer.default_root_dir=runs"])
    (config,) = tmp_path.glob("runs/*/*/config.yaml")
    return config.parent


def test_a_checkpoint_knows_it(cropped: Path, script: Script) -> None:
    checkpoint = str(cropped / "checkpoints/best.ckpt")
    main(["predict", f"--config={cropped}/config.yaml", f"--ckpt_path={checkpoint}", "--predictions=test.csv"])
    with Path("test.csv").open() as table:
        rows = {row["file"]: float(row["light"]) for row in csv.DictReader(table)}
    assert len(rows) == 4
    model = load_classifier(checkpoint, "cpu")
    found = {path: float(shares[1]) for path, shares in classify(model, [*rows])}
    assert found == pytest.approx(rows, abs=1e-5)
    opened = {path: float(next(classify(model, Image.open(path)))[1][1]) for path in rows}
    assert opened == pytest.approx(rows, abs=1e-5)
    script("predict.py", checkpoint, *rows, "--csv=files.csv", "--device=cpu")
    with Path("files.csv").open() as table:
        assert {row["file"]: float(row["light"]) for row in csv.DictReader(table)} == pytest.approx(rows, abs=1e-5)
    assert "sRGB, resized and cropped to 16 × 16 (bil" in script("export.py", checkpoint, "x.pt2")
    metadata = {"preparation": ""}
    torch.export.load("x.pt2", extra_files=metadata)
    told = json.loads(metadata["preparation"])
    assert (told["aspect_ratio"], told["pillow"]) == ("kept, both ends cut off", "ImageOps.fit")


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_a_checkpoint_is_evaluated_on_images_of_its_own_way(command: str, cropped: Path, fails: Fails) -> None:
    checkpoint = cropped / "checkpoints/best.ckpt"
    line = fails(command, *DATA, f"--ckpt_path={checkpoint}")
    assert line == f"error: {checkpoint} was trained with --data.resize crop, give that in place of squash"


def test_no_fit_goes_on_with_images_of_another_way(cropped: Path, fails: Fails) -> None:
    line = fails("fit", f"--resume={cropped}", "--data.resize=pad", "--trainer.max_epochs=3")
    assert line.startswith("error: the data is not what the fit began with: its resize was crop and is pad; --changed_")
    content = torch.load(cropped / "checkpoints/last.ckpt", weights_only=True)
    del content["data"]["resize"], content["hyper_parameters"]["resize"]  # of a version that knew of none
    torch.save(content, cropped / "checkpoints/last.ckpt")
    main(["fit", f"--resume={cropped}", "--trainer.max_epochs=3"])
