import pytest
import torch

from classifiers.data.splitting import held_out, stratified_order, stratified_parts
from classifiers.experiment.errors import UserError


def test_a_size_below_one_is_a_share() -> None:
    assert [held_out("val_size", size, 230) for size in (0.2, 0.99, 1, 30.0, 229)] == [46, 228, 1, 30, 229]


@pytest.mark.parametrize("size", [0, 230, -1, 0.001, 0.999])
def test_none_or_all_is_refused(size: float) -> None:
    with pytest.raises(UserError, match=rf"--data.test_size {size} holds out -?\d+ of 230 training images"):
        held_out("test_size", size, 230)


def test_every_part_has_its_share_of_each_class() -> None:
    labels = torch.tensor([0] * 600 + [1] * 300 + [2] * 100)
    order = stratified_order(labels, seed=0)
    assert sorted(order.tolist()) == list(range(1000))
    for size in (10, 50, 200, 990):
        assert labels[order[:size]].bincount().tolist() == pytest.approx([0.6 * size, 0.3 * size, 0.1 * size], abs=1)


def test_the_seed_alone_draws_it() -> None:
    labels = torch.arange(50) % 3
    first = stratified_order(labels, seed=1)
    torch.manual_seed(7)
    assert torch.equal(first, stratified_order(labels, seed=1))
    assert not torch.equal(first, stratified_order(labels, seed=2))
    assert first.tolist()[:6] != sorted(first.tolist()[:6])


def test_a_class_of_one_image_is_not_held_out() -> None:
    order = stratified_order(torch.tensor([0, 1, *[0] * 18]), seed=0)
    assert 1 not in order[:9]


def test_parts_are_held_out_in_turn_and_the_rest_is_to_train_on() -> None:
    labels = torch.tensor([0] * 60 + [1] * 40)
    parts = stratified_parts(labels, {"test": 0.2, "val": 8}, seed=0)
    assert {name: labels[part].bincount().tolist() for name, part in parts.items()} == {
        "train": [43, 29],
        "test": [12, 8],
        "val": [5, 3],
    }
    assert sorted(torch.cat([*parts.values()]).tolist()) == list(range(100))
    with pytest.raises(UserError, match="--data.val_size 80 holds out 80 of 80 training images"):
        stratified_parts(labels, {"test": 0.2, "val": 80}, seed=0)
