import pytest
import torch
from matplotlib.axes import Axes

from classifiers.figures import confusion_matrix

COUNTS = torch.tensor([[7, 0, 3], [0, 0, 0], [1, 1000, 999]])
SCORES = {
    "images": torch.tensor([10, 0, 2000]),
    "precision": torch.tensor([0.875, 0.0, 0.99701]),
    "recall": torch.tensor([0.7, 0.0, 0.4994]),
}


def texts(axes: Axes) -> dict[tuple[float, float], str]:
    return {text.get_position(): text.get_text() for text in axes.texts}


def test_it_counts_images_and_shades_shares_beside_the_scores() -> None:
    figure = confusion_matrix(COUNTS, SCORES, ["sea", "from $5 to $6", "a view of hills"], "shores, seed 3\n50% right")
    matrix, table, bar = figure.axes
    assert figure.get_suptitle() == "shores, seed 3\n50% right"
    assert (matrix.get_xlabel(), matrix.get_ylabel()) == ("predicted class", "true class")
    assert bar.get_xlabel() == "share of the true class"
    for labels in (matrix.get_xticklabels(), matrix.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["sea", "from $5 to $6", "a view of hills"]
        assert not any(label.get_parse_math() for label in labels)
    assert texts(matrix) == {(0, 0): "7", (2, 0): "3", (0, 2): "1", (1, 2): "1000", (2, 2): "999"}
    shares = [[0.7, 0, 0.3], [0, 0, 0], [0.0005, 0.5, 0.4995]]
    assert matrix.images[0].get_array().tolist() == [pytest.approx(row) for row in shares]
    assert texts(table) == {
        (0, 1.02): "images", (1, 1.02): "precision", (2, 1.02): "recall",
        (0, 0): "10", (1, 0): "0.875", (2, 0): "0.700",
        (0, 1): "0", (1, 1): "0.000", (2, 1): "0.000",
        (0, 2): "2,000", (1, 2): "0.997", (2, 2): "0.499",
    }  # fmt: skip


@pytest.mark.parametrize("classes", [20, 21, 40])
def test_many_classes_are_shaded_only(classes: int) -> None:
    counts = torch.eye(classes, dtype=torch.int64)
    names = [f"a long name, that of {label}" for label in range(classes)]
    figure = confusion_matrix(counts, {"images": counts.sum(1), "recall": torch.ones(classes)}, names, "many")
    matrix, table, _ = figure.axes
    assert len(matrix.texts) == (20 if classes == 20 else 0)
    assert {label.get_text() for label in matrix.get_yticklabels()} == {"a long name, th…"}
    assert len(matrix.get_xticks()) == len(matrix.get_yticks()) == classes
    assert len(table.texts) == 2 * classes + 2
    assert max(figure.get_size_inches()) < 13
