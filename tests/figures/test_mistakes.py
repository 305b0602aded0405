import pytest
import torch

from classifiers.figures.mistakes import Mistakes

PREDICTED = [1, 0, 2, 1, 1, 0]
TRUE = [1, 1, 1, 0, 1, 2]
PROBABILITIES = [0.99, 0.5, 0.75, 0.625, 0.875, 0.75]
IMAGES = torch.arange(6 * 4, dtype=torch.uint8).view(6, 1, 2, 2)


def mistakes_of(batches: list[list[int]], most: int) -> Mistakes:
    mistakes = Mistakes(most)
    for places in batches:
        probabilities = torch.zeros(len(places), 3)
        for row, place in enumerate(places):
            probabilities[row, PREDICTED[place]] = PROBABILITIES[place]
        mistakes.update(IMAGES[places], probabilities, torch.tensor([TRUE[place] for place in places]))
    return mistakes


@pytest.mark.parametrize("batches", [[[0, 1, 2, 3, 4, 5]], [[0, 1], [2, 3], [4], [5]]])
def test_the_surest_mistakes_come_first_and_the_first_of_equals_before_the_next(batches: list[list[int]]) -> None:
    found = mistakes_of(batches, most=3).compute()
    assert [mistake[1:] for mistake in found] == [(2, 1, 0.75), (0, 2, 0.75), (1, 0, 0.625)]
    assert all(torch.equal(mistake.image, IMAGES[place]) for mistake, place in zip(found, (2, 5, 3), strict=True))


def test_fewer_mistakes_than_wanted() -> None:
    assert len(mistakes_of([[0, 1, 4], [3]], most=20).compute()) == 2
    assert mistakes_of([[0], [4]], most=20).compute() == []


def test_no_more_images_are_kept_than_wanted() -> None:
    mistakes = mistakes_of([[1, 2], [3, 5]], most=2)
    assert [len(images) for images in mistakes.images] == [2]
