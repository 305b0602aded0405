import torch

from classifiers.answers import Answered
from classifiers.figures import confused_pairs


def test_the_most_confused_pairs_and_the_worst_classes() -> None:
    true = torch.arange(50).repeat_interleave(10)
    predicted = true.clone()
    predicted[[0, 1, 2]] = 7
    predicted[[490, 491]] = 0
    answered = Answered(true, predicted, torch.ones(500))
    names = [f"class {label}" for label in range(50)]
    figure = confused_pairs(*answered.confused(), answered.scores(50), names, "many, seed 3")
    pairs, worst = figure.axes
    assert figure.get_suptitle() == "many, seed 3"
    assert [label.get_text() for label in pairs.get_yticklabels()] == ["class 0 → class 7", "class 49 → class 0"]
    assert [bar.get_width() for bar in pairs.patches] == [0.3, 0.2]
    assert [text.get_text() for text in pairs.texts] == ["3", "2"]
    assert [label.get_text() for label in worst.get_yticklabels()][:4] == [
        "class 0 (10)", "class 7 (10)", "class 49 (10)", "class 1 (10)",
    ]  # fmt: skip
    assert [text.get_text() for text in worst.texts][:4] == ["0.737", "0.870", "0.889", "1.000"]
    assert len(worst.patches) == 25


def test_two_classes_of_one_short_name_have_a_bar_each() -> None:
    answered = Answered(torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]), torch.ones(3))
    names = ["the same long beginning of " + end for end in "abc"]
    assert len(confused_pairs(*answered.confused(), answered.scores(3), names, "").axes[0].patches) == 3


def test_nothing_is_confused() -> None:
    answered = Answered(torch.arange(3), torch.arange(3), torch.ones(3))
    assert not confused_pairs(*answered.confused(), answered.scores(3), ["a", "b", "c"], "").axes[0].patches
