from pathlib import Path

import pytest
import rich
import torch
from PIL import Image
from rich.console import Console

from classifiers.data import decoding
from classifiers.data.decoding import ImageFiles, pixel_counts, read_images, require_all, unreadable
from classifiers.data.file_paths import FilePaths
from classifiers.data.image_files import read_image
from classifiers.data.image_search import find_images
from classifiers.experiment.errors import UserError
from tests.photos import write_photos

SHAPE = (3, 12, 12)


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    return [str(path) for path in find_images(write_photos(tmp_path / "photos", 20))]


def cut(path: str) -> None:
    """Leave the header and half of what follows."""
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])


def test_images_are_read_as_predictions_read_them(paths: list[str]) -> None:
    images = read_images(paths, SHAPE)
    assert (images.shape, images.dtype) == ((40, *SHAPE), torch.uint8)
    assert torch.equal(images, torch.stack([read_image(path, SHAPE) for path in paths]))


def test_files_give_what_a_tensor_of_them_gives(paths: list[str]) -> None:
    files, images = ImageFiles(FilePaths.of("", paths), SHAPE), read_images(paths, SHAPE)
    index = torch.tensor([39, 0, 7, 7])
    assert len(files) == len(images)
    assert torch.equal(files[index], images[index])


def test_the_pixels_of_files_are_those_that_they_have(paths: list[str]) -> None:
    for index, path in enumerate(paths):
        with Image.open(path) as image:
            assert pixel_counts(paths)[index] == image.width * image.height
    cut(paths[31])
    assert len(pixel_counts(paths)) == 40
    Path(paths[2]).write_text("no image")
    with pytest.raises(UserError, match="^1 of 40 images can't be used"):
        pixel_counts(paths)


def test_all_unreadable_files_are_named(paths: list[str]) -> None:
    cut(paths[31])
    Path(paths[2]).write_text("no image")
    with pytest.raises(UserError) as error:
        read_images(paths, SHAPE)
    first, second = str(error.value).split("; ")
    kinds = "AVIF, BMP, GIF, JPEG, JPEG2000, PNG, PPM, TIFF or WEBP"
    assert first == f"2 of 40 images can't be used: {paths[2]} is no {kinds} image"
    assert second.startswith(f"{paths[31]} can't be read: ")
    assert second.endswith(": mend them, or go on without them by --data.skip_unreadable true")
    assert unreadable(paths, SHAPE).keys() == {2, 31}


def test_many_unreadable_files_are_listed_in_a_file(paths: list[str], tmp_path: Path) -> None:
    require_all(unreadable(paths, SHAPE), 40)
    assert not (tmp_path / "unreadable_images.txt").exists()
    for path in paths:
        Path(path).write_bytes(b"")
    with pytest.raises(UserError) as error:
        read_images(paths, SHAPE)
    *named, more = str(error.value).split("; ")
    assert [line.split(": ")[-1].split(" is no ")[0] for line in named] == sorted(paths)[:5]
    assert named[0].split(":")[0] == "40 of 40 images can't be used"
    assert more.startswith(f"and 35 more, all in {tmp_path}/unreadable_images.txt: mend them, or go on without")
    listed = (tmp_path / "unreadable_images.txt").read_text().splitlines()
    assert [line.split(" is no ")[0] for line in listed] == sorted(paths)


def test_images_are_read_while_gradients_are_off_for_good(paths: list[str]) -> None:
    with torch.inference_mode():
        assert torch.equal(read_images(paths, SHAPE), ImageFiles(FilePaths.of("", paths), SHAPE)[torch.arange(40)])


@pytest.mark.parametrize("terminal", [True, False])
def test_many_images_have_a_progress_bar_on_a_terminal(
    terminal: bool, paths: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(decoding, "MANY", 40)
    monkeypatch.setattr(rich, "_console", Console(force_terminal=terminal))
    read_images(paths[1:], SHAPE)
    assert capsys.readouterr().out == ""
    read_images(paths, SHAPE)
    assert ("Reading 40 images" in capsys.readouterr().out) == terminal
