from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler, SequentialSampler

from classifiers.data.image_dataset import Batch, ImageDataset
from classifiers.data.image_loader import ImageLoader
from classifiers.experiment.sampling.epoch_sampler import EpochSampler
from tests.small_models import small, synthetic, trained

IMAGES = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1).expand(20, 1, 2, 2)
DATASET = ImageDataset(IMAGES, torch.arange(20) * 10, torch.arange(3, 14))


def same(ours: list[Batch], theirs: list[Batch]) -> bool:
    return len(ours) == len(theirs) and all(
        torch.equal(mine, other) for pair in zip(ours, theirs, strict=True) for mine, other in zip(*pair, strict=True)
    )


def as_is(batch: Any) -> Any:
    return batch


@pytest.mark.parametrize("size", [1, 4, 11, 50])
@pytest.mark.parametrize(
    "sampler",
    [
        lambda: EpochSampler(DATASET, 1, 0, True, 7, epoch=2, skip=3),
        lambda: DistributedSampler(DATASET, 2, 1, shuffle=True),
        lambda: SequentialSampler(DATASET),
    ],
    ids=["epoch", "distributed", "sequential"],
)
def test_batches_are_those_of_a_plain_loader(sampler: Any, size: int) -> None:
    ours = ImageLoader(DATASET, size, sampler=sampler(), collate_fn=as_is)
    theirs = DataLoader(DATASET, size, sampler=sampler(), collate_fn=as_is)
    assert same(list(ours), list(theirs))
    assert len(ours) == len(theirs)


def test_an_epoch_may_be_set_until_the_first_batch() -> None:
    sampler, later = (EpochSampler(DATASET, 1, 0, True, 7, epoch=epoch, skip=0) for epoch in (0, 3))
    batches = iter(ImageLoader(DATASET, 4, sampler=sampler, collate_fn=as_is))
    sampler.set_epoch(3)
    assert same(list(batches), list(ImageLoader(DATASET, 4, sampler=later, collate_fn=as_is)))


def test_workers_and_batch_samplers_of_others_work_as_ever() -> None:
    theirs = list(DataLoader(DATASET, 4, collate_fn=as_is))
    assert same(list(ImageLoader(DATASET, 4, num_workers=1, collate_fn=as_is)), theirs)
    batches = [list(range(start, min(start + 4, 11))) for start in range(0, 11, 4)]
    assert same(list(ImageLoader(DATASET, batch_sampler=batches, collate_fn=as_is)), theirs)


@pytest.mark.filterwarnings("ignore:You requested to overfit")
def test_lightning_takes_it_for_the_loader_that_it_is() -> None:
    data = synthetic(batch_size=64)
    trainer = trained(small(data), data, overfit_batches=2, max_epochs=1)
    loader = trainer.train_dataloader
    assert isinstance(loader, ImageLoader)
    assert isinstance(loader.sampler, SequentialSampler)
    assert trainer.global_step == 2
    (predicted, *_) = trainer.predict(trainer.model, data)  # type: ignore[misc, arg-type]
    assert isinstance(predicted, Tensor)
    assert len(predicted) == 64
