import pytest
import torch

from classifiers.data.image_dataset import ImageDataset
from classifiers.experiment.sampling.balanced_order import balanced_order
from classifiers.experiment.sampling.epoch_sampler import EpochSampler

KINDS = torch.tensor([7] * 40 + [2] * 5 + [3] * 17)[torch.randperm(62, generator=torch.Generator().manual_seed(1))]


def test_each_kind_comes_equally_often_and_so_does_each_of_its_items() -> None:
    order = balanced_order(KINDS, torch.Generator().manual_seed(0))
    assert sorted(KINDS[order].bincount()[[2, 3, 7]].tolist()) == [20, 21, 21]
    times = order.bincount(minlength=62)
    for kind in (2, 3, 7):
        assert times[kind == KINDS].max() - times[kind == KINDS].min() <= 1


def test_the_seed_decides_and_what_is_left_over_goes_round() -> None:
    orders = [balanced_order(KINDS, torch.Generator().manual_seed(seed)) for seed in (0, 0, *range(1, 60))]
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[1], orders[2])
    fewest = {int(KINDS[order].bincount()[[2, 3, 7]].argmin()) for order in orders}
    assert fewest == {0, 1, 2}


@pytest.mark.parametrize("skip", [0, 10])
def test_processes_share_the_order(skip: int) -> None:
    data = ImageDataset(torch.zeros(62, 1, 2, 2), KINDS, torch.arange(62))
    shares = [list(EpochSampler(data, 2, rank, True, seed=3, epoch=1, skip=skip, kinds=KINDS)) for rank in (0, 1)]
    whole = list(EpochSampler(data, 1, 0, True, seed=3, epoch=1, skip=skip, kinds=KINDS))
    assert [image for pair in zip(*shares, strict=True) for image in pair] == whole
