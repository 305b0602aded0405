import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from classifiers.figures import labelled_grid


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_stands_over_its_class_name(channels: int, one_hot: bool) -> None:
    images = torch.arange(5 * channels * 16, dtype=torch.uint8).view(5, channels, 4, 4)
    labels = torch.tensor([0, 2, 1, 1, 0])
    figure = labelled_grid(images, F.one_hot(labels) if one_hot else labels, ["sea", "hill", "sky"], columns=3)
    assert [axes.get_xlabel() for axes in figure.axes] == ["sea", "sky", "hill", "hill", "sea"]
    for axes, image in zip(figure.axes, images, strict=True):
        shown = torch.from_numpy(axes.images[0].get_array().data)
        assert torch.equal(shown, image[0] if channels == 1 else image.movedim(0, 2))
