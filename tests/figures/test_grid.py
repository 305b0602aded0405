import io

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from classifiers.experiment.quiet import quiet
from classifiers.figures import labelled_grid, mistakes_grid
from classifiers.figures.mistakes import Mistake


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_each_image_stands_over_its_class_name(channels: int, one_hot: bool) -> None:
    images = torch.arange(5 * channels * 16, dtype=torch.uint8).view(5, channels, 4, 4)
    labels = torch.tensor([0, 2, 1, 1, 0])
    figure = labelled_grid(images, F.one_hot(labels) if one_hot else labels, ["sea", "hill", "sky"], columns=3)
    (axes,) = figure.axes
    for image, name, drawn, text in zip(
        images, ["sea", "sky", "hill", "hill", "sea"], axes.images, axes.texts, strict=True
    ):
        shown = torch.from_numpy(drawn.get_array().data)
        assert torch.equal(shown, image.movedim(0, 2) if channels == 3 else image[0])
        left, right, bottom, _ = drawn.get_extent()
        assert (text.get_text(), text.get_position()[0]) == (name, (left + right) / 2)
        assert text.get_position()[1] > bottom  # y grows downwards


def test_a_mixed_image_stands_over_its_two_greatest_shares() -> None:
    rows = torch.tensor([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    figure = labelled_grid(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), rows, ["sea", "hill", "sky"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["hill 50%\nsky 30%", "hill"]


def test_a_name_that_the_font_lacks_is_drawn_without_a_word() -> None:
    figure = labelled_grid(torch.zeros(1, 1, 4, 4, dtype=torch.uint8), torch.tensor([0]), ["\U000ffffd"], columns=1)
    with quiet():
        figure.savefig(io.BytesIO())
    with pytest.warns(UserWarning, match="Glyph"):
        figure.savefig(io.BytesIO())


def test_each_mistake_stands_over_what_was_said_and_what_is_true() -> None:
    images = torch.arange(7 * 16, dtype=torch.uint8).view(7, 1, 4, 4)
    mistakes = [Mistake(image, 1, 0, 0.98765 - 0.1 * place) for place, image in enumerate(images)]
    figure = mistakes_grid(mistakes, ["sea", "hill with a view"], "shores, seed 3")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts[:2]] == [
        "hill with a… 98.8%\ntrue: sea",
        "hill with a… 88.8%\ntrue: sea",
    ]
    assert len(axes.images) == 7
    assert torch.equal(torch.from_numpy(axes.images[6].get_array().data), images[6, 0])
    assert figure.get_suptitle() == "shores, seed 3"
    assert figure.get_size_inches()[0] == 8


def test_no_mistakes_are_an_empty_grid() -> None:
    assert not mistakes_grid([], ["sea"], "none").axes[0].images
