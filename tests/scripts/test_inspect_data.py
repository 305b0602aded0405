import csv
import shutil
import sys
from pathlib import Path

import matplotlib.image
import pytest

from tests.conftest import Script
from tests.photos import write_photos


def test_it_prints_and_draws(script: Script, tmp_path: Path) -> None:
    options = ["--data=SyntheticDataModule", "--data.train_size=100", "--data.val_size=10", "--data.test_size=30"]
    printed = script("inspect_data.py", *options, f"--out={tmp_path / 'new/grid.png'}")
    assert "train (90)" in printed
    assert "pattern 9" in printed
    assert "of the training images; the data module has 0.5000" in printed
    assert matplotlib.image.imread(tmp_path / "new/grid.png").shape[1] == 1000


def test_it_draws_the_images_as_they_are_trained_on(script: Script, tmp_path: Path) -> None:
    options = ["--data=SyntheticDataModule", "--data.train_size=100", "--data.test_size=30"]
    plain, inverted = tmp_path / "plain.png", tmp_path / "inverted.png"
    assert "the first training images are in" in script("inspect_data.py", *options, f"--out={plain}")
    invert = ["--data.augmentations+=torchvision.transforms.v2.RandomInvert", "--data.augmentations.p=1"]
    printed = script("inspect_data.py", *options, *invert, f"--out={inverted}")
    assert "the first training images, augmented, are in" in printed
    images = [matplotlib.image.imread(path)[5:100, 15:100, 0] for path in (plain, inverted)]
    assert abs(images[0] + images[1] - 1).max() < 0.02


def test_it_lists_what_is_odd(script: Script, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 20)
    shutil.copy(tmp_path / "photos/dark/001.jpg", tmp_path / "photos/light/copy.jpg")
    options = ["--data=ImageFolderDataModule", f"--data.root={tmp_path / 'photos'}", f"--out={tmp_path / 'x.png'}"]
    printed = script("inspect_data.py", *options)
    assert "beware: pairs of images with the same pixels: 1" in printed
    assert f"these images are in {tmp_path / 'x.findings.csv'}" in printed
    with (tmp_path / "x.findings.csv").open() as file:
        (row,) = [row for row in csv.DictReader(file) if row["finding"] == "copies"]
    assert {row["class"], row["other class"]} == {"dark", "light"}
    assert {Path(row[column]).name for column in ("image", "other image")} == {"001.jpg", "copy.jpg"}
    shutil.rmtree(tmp_path / "photos")
    script("inspect_data.py", "--data=SyntheticDataModule", f"--out={tmp_path / 'x.png'}")
    assert not (tmp_path / "x.findings.csv").exists()


def test_it_takes_the_data_of_configs(script: Script, tmp_path: Path) -> None:
    synthetic = "class_path: SyntheticDataModule\n  init_args: {train_size: 100, test_size: 30}"
    (tmp_path / "fit.yaml").write_text(f"trainer: {{max_epochs: 3}}\ndata:\n  {synthetic}\nmodel: {{net: Nobodys}}")
    (tmp_path / "other.yaml").write_text("data: {init_args: {val_size: 20}}")
    configs = [f"--config={tmp_path / 'fit.yaml'}", "--config", str(tmp_path / "other.yaml")]
    printed = script("inspect_data.py", *configs, "--data.test_size=40", f"--out={tmp_path / 'grid.png'}")
    assert "train (80)" in printed
    assert "test (40)" in printed


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--data=SyntheticDataModule", "--data.val_size=1e9"], "--data.val_size 1000000000.0 holds out 1000000000 of"),
        (["--data.batch_size=0"], "--data.batch_size is 0: it must be at least 1"),
        (["--data=Syntetic"], "data: there is no class Syntetic"),
        (["--config=nowhere.yaml"], "there is no file nowhere.yaml"),
        (["--dta=3"], "unknown option --dta: did you mean --data?"),
        (["--data=SyntheticDataModule", "--out=/proc/x.png"], "can't write /proc/x.png"),
    ],
)
def test_a_mistake_is_one_line(
    options: list[str], line: str, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        script("inspect_data.py", *options)
    assert exit_info.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {line}")
    assert sys.argv[0].endswith("inspect_data.py")
