import pytest
import torch
from torchmetrics.functional.classification import multiclass_f1_score, multiclass_precision, multiclass_recall

from classifiers.answers import Answered, Answers, worst

TRUE, PREDICTED = torch.tensor([0, 1, 2, 1, 1, 0]), torch.tensor([0, 2, 2, 2, 1, 1])
SURE = torch.tensor([0.9, 0.6, 0.8, 0.7, 0.95, 0.6])


def answers(batch_size: int) -> Answered:
    probabilities = torch.zeros(6, 4)
    probabilities[torch.arange(6), PREDICTED] = SURE
    metric = Answers()
    for rows, classes in zip(probabilities.split(batch_size), TRUE.split(batch_size), strict=True):
        metric.update(rows, classes)
    return metric.compute()


@pytest.mark.parametrize("batch_size", [1, 4, 6])
def test_all_answers_in_order(batch_size: int) -> None:
    true, predicted, probability = answers(batch_size)
    assert (true.tolist(), predicted.tolist()) == (TRUE.tolist(), PREDICTED.tolist())
    assert probability.tolist() == SURE.tolist()


def test_mistakes_pairs_and_the_matrix() -> None:
    answered = answers(6)
    assert answered.surest_mistakes().tolist() == [3, 1, 5]
    pairs, counts = answered.confused()
    assert (pairs.tolist(), counts.tolist()) == ([[1, 2], [0, 1]], [2, 1])
    assert answered.matrix(4).tolist() == [[1, 1, 0, 0], [0, 1, 2, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_the_scores_are_those_of_torchmetrics() -> None:
    scores = answers(6).scores(4)
    assert scores["images"].tolist() == [2, 3, 1, 0]
    for name, score in (
        ("precision", multiclass_precision),
        ("recall", multiclass_recall),
        ("F1", multiclass_f1_score),
    ):
        assert torch.equal(scores[name], score(PREDICTED, TRUE, 4, average="none"))


def test_the_worst_classes_have_images_and_of_equal_ones_the_most_come_first() -> None:
    scores = {"images": torch.tensor([3, 0, 5, 9, 4]), "F1": torch.tensor([0.0, 0.0, 0.0, 0.5, 0.2])}
    assert worst(scores).tolist() == [2, 0, 4, 3]
