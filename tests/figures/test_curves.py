from typing import Any

import pytest

from classifiers.experiment.runs.history import Row
from classifiers.figures import learning_curves


def train(epoch: int, step: int) -> Row:
    return {"epoch": epoch, "step": step, "train/epoch_loss": 2.0 - epoch, "train/acc": 0.4 + epoch / 10}


def val(epoch: int, step: int) -> Row:
    return {"epoch": epoch, "step": step, "val/loss": 1.0 + step, "val/acc": 0.5}


def lines(axes: Any) -> dict[str, list[tuple[float, float]]]:
    return {str(line.get_label()): list(zip(*line.get_data(), strict=True)) for line in axes.lines}


def test_losses_and_accuracies_stand_at_their_epochs_and_the_best_is_marked() -> None:
    history = [{"epoch": 0, "step": 2, "train/loss": 9.0}, val(0, 5), train(0, 5), val(1, 11), train(1, 11)]
    figure = learning_curves(history, history[3], "shirts, seed 3")
    loss, accuracy = figure.axes
    assert figure.get_suptitle() == "shirts, seed 3\nbest epoch 2, validation loss 12.0000, accuracy 50.00%"
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == [
        ("epoch", "loss"),
        ("epoch", "accuracy"),
    ]
    best = [(2, 0), (2, 1)]  # from the bottom to the top
    assert lines(loss) == {"training": [(1, 2), (2, 1)], "validation": [(1, 6), (2, 12)], "best epoch": best}
    assert lines(accuracy) == {"training": [(1, 0.4), (2, 0.5)], "validation": [(1, 0.5), (2, 0.5)], "best epoch": best}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["training", "validation", "best epoch"]


def test_validation_may_be_rarer_or_more_frequent_than_epochs() -> None:
    rarer = learning_curves([train(0, 5), val(1, 11), train(1, 11), train(2, 17)], None, "")
    assert lines(rarer.axes[0])["validation"] == [(2, 12)]
    frequent = [val(0, 2), val(0, 5), train(0, 5), val(1, 8), val(1, 11), train(1, 11)]
    assert [x for x, _ in lines(learning_curves(frequent, None, "").axes[0])["validation"]] == [0.5, 1, 1.5, 2]


def test_a_run_that_goes_on_from_another_starts_at_its_own_epoch() -> None:
    figure = learning_curves([val(3, 23), train(3, 23), val(4, 29), train(4, 29)], None, "")
    assert [x for x, _ in lines(figure.axes[0])["validation"]] == [4, 5]


def test_no_validation() -> None:
    figure = learning_curves([train(0, 5), train(1, 11)], None, "shirts, seed 3")
    assert lines(figure.axes[1]) == {"training": [(1, 0.4), (2, 0.5)]}
    assert figure.get_suptitle() == "shirts, seed 3\nno epoch was validated"


@pytest.mark.parametrize(("epochs", "ticks"), [(1, [1]), (2, [1, 2])])
def test_epochs_are_whole(epochs: int, ticks: list[int]) -> None:
    figure = learning_curves([train(epoch, 6 * epoch + 5) for epoch in range(epochs)], None, "")
    figure.draw_without_rendering()
    low, high = figure.axes[0].get_xlim()
    assert [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high] == ticks
