from pathlib import Path

import numpy as np
import pytest
import rich
import torch
from rich.console import Console

from classifiers.data import decoding
from classifiers.data.decoding import ImageFiles, check_images, read_images
from classifiers.data.image_files import find_images, read_image
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
    files, images = ImageFiles(np.array(paths), SHAPE), read_images(paths, SHAPE)
    index = torch.tensor([39, 0, 7, 7])
    assert len(files) == len(images)
    assert torch.equal(files[index], images[index])


def test_all_unreadable_files_are_named(paths: list[str]) -> None:
    cut(paths[31])
    Path(paths[2]).write_text("no image")
    with pytest.raises(UserError) as error:
        read_images(paths, SHAPE)
    first, second = str(error.value).split("; ")
    assert first == f"2 of 40 images can't be used: {paths[2]} is no AVIF, BMP, GIF, JPEG, PNG, TIFF or WEBP image"
    assert second.startswith(f"{paths[31]} can't be read: ")


def test_of_many_unreadable_files_the_first_are_named(paths: list[str]) -> None:
    check_images(paths)
    for path in paths:
        Path(path).write_bytes(b"")
    for refused in (lambda: check_images(paths), lambda: read_images(paths, SHAPE)):
        with pytest.raises(UserError) as error:
            refused()
        *named, more = str(error.value).split("; ")
        assert [line.split(": ")[-1].split(" is no ")[0] for line in named] == sorted(paths)[:5]
        assert (named[0].split(":")[0], more) == ("40 of 40 images can't be used", "and 35 more")


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
