from typing import Any

import pytest
import torch
from torch.utils.data import DistributedSampler

from classifiers.data.image_dataset import ImageDataset
from classifiers.experiment.sampling.epoch_sampler import EpochSampler

IMAGES = ImageDataset(torch.zeros(10, 1, 2, 2), torch.zeros(10), torch.arange(10))


def sampler(**arguments: Any) -> EpochSampler:
    default = {"processes": 1, "rank": 0, "shuffle": True, "seed": 0, "epoch": 0, "skip": 0}
    return EpochSampler(IMAGES, **{**default, **arguments})


def test_seed_and_epoch_alone_decide_the_order() -> None:
    orders = [tuple(sampler(seed=seed, epoch=epoch)) for seed in (0, 9) for epoch in (0, 1)]
    assert [sorted(order) for order in orders] == [list(range(10))] * 4
    assert len(set(orders)) == 4
    torch.manual_seed(1)
    assert tuple(sampler()) == orders[0]
    later = sampler()
    later.set_epoch(1)
    assert tuple(later) == orders[1]


def test_the_first_epoch_may_start_in_its_middle() -> None:
    whole, resumed = sampler(epoch=3), sampler(epoch=3, skip=4)
    assert list(resumed) == list(whole)[4:]
    assert list(resumed) == list(whole)
    assert len(sampler(skip=4)) == 10


def test_processes_share_the_images() -> None:
    shares = [list(sampler(processes=2, rank=rank)) for rank in (0, 1)]
    assert sorted(shares[0] + shares[1]) == list(range(10))
    assert [image for pair in zip(*shares, strict=True) for image in pair] == list(sampler())


def test_without_shuffling_the_order_is_the_images() -> None:
    assert list(sampler(shuffle=False, epoch=5)) == list(range(10))


@pytest.mark.parametrize("processes", [1, 2, 3, 7, 25])
@pytest.mark.parametrize("shuffle", [True, False])
def test_the_order_is_the_base_classes(processes: int, shuffle: bool) -> None:
    for rank in range(processes):
        ours = sampler(processes=processes, rank=rank, shuffle=shuffle, seed=3, epoch=2)
        theirs = DistributedSampler(IMAGES, processes, rank, shuffle, seed=3)
        theirs.set_epoch(2)
        assert ours.order().tolist() == list(ours) == list(theirs)
