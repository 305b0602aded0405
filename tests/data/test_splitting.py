import pytest
import torch

from classifiers.data.identity import of_names
from classifiers.data.splitting import held_out, parts_by_class
from classifiers.experiment.errors import UserError

SIZES = {"test": 0.2, "val": 0.1}


def files(count: int, first: int = 0) -> list[str]:
    return [f"IMG_{number:05}.jpg" for number in range(first, first + count)]


def parts_of(names: list[str], labels: torch.Tensor | None = None, seed: int = 0) -> dict[str, set[str]]:
    labels = torch.zeros(len(names), dtype=torch.long) if labels is None else labels
    parts = parts_by_class(labels, of_names(names), SIZES, seed)
    return {part: {names[index] for index in indices.tolist()} for part, indices in parts.items()}


def test_a_size_below_one_is_a_share() -> None:
    assert [held_out("val_size", size, 230) for size in (0.2, 0.99, 1, 30.0, 229)] == [46, 228, 1, 30, 229]


@pytest.mark.parametrize("size", [0, 230, -1, 0.001, 0.999])
def test_none_or_all_is_refused(size: float) -> None:
    with pytest.raises(UserError, match=rf"--data.test_size {size} holds out -?\d+ of 230 training images"):
        held_out("test_size", size, 230)


def test_every_part_has_about_its_share_of_each_class() -> None:
    labels = torch.tensor([0] * 6000 + [1] * 3000 + [2] * 1000)
    parts = parts_by_class(labels, of_names(files(10_000)), SIZES, seed=0)
    assert sorted(torch.cat([*parts.values()]).tolist()) == list(range(10_000))
    for part, share in (("test", 0.2), ("val", 0.08), ("train", 0.72)):
        counts = labels[parts[part]].bincount() / torch.tensor([6000, 3000, 1000])
        assert counts.tolist() == pytest.approx([share] * 3, abs=0.03)


def test_a_further_image_moves_no_other() -> None:
    names = files(200)
    before = parts_of(names)
    for further in ("a.jpg", "IMG_00000_copy.jpg", "zebra.png", *files(20, first=500)):
        after = parts_of([*names, further])
        assert sum(further in part for part in after.values()) == 1
        assert {part: found - {further} for part, found in after.items()} == before


def test_neither_the_order_of_images_nor_their_other_classes_matter() -> None:
    names, labels = files(300), torch.arange(300) % 3
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    assert parts_of([names[index] for index in order.tolist()], labels[order]) == parts_of(names, labels)
    assert parts_of(names, 2 - labels) == parts_of(names, labels)


def test_the_seed_draws_them() -> None:
    first, again, other = (parts_of(files(300), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first["test"] != other["test"]


def test_the_order_to_train_in_mixes_the_classes() -> None:
    labels = torch.tensor([0] * 500 + [1] * 500)
    first = labels[parts_by_class(labels, of_names(files(1000)), {}, seed=0)["train"][:200]]
    assert first.bincount().tolist() == pytest.approx([100, 100], abs=25)


@pytest.mark.parametrize("seed", range(20))
def test_each_class_of_two_images_is_held_out_and_none_as_a_whole(seed: int) -> None:
    labels = torch.tensor([0] * 40 + [1, 1] + [2] + [3] * 3)
    parts = parts_by_class(labels, of_names(files(46)), {"test": 0.05, "val": 0.05}, seed)
    assert {part: labels[indices].unique().tolist() for part, indices in parts.items()} == {
        "train": [0, 1, 2, 3],
        "test": [0, 1, 3],
        "val": [0, 3],
    }


def test_a_large_share_leaves_one_of_each_class() -> None:
    labels = torch.arange(10).repeat(3)
    parts = parts_by_class(labels, of_names(files(30)), {"test": 0.9}, seed=0)
    assert labels[parts["train"]].unique().tolist() == list(range(10))


def test_a_number_of_images_is_about_that_many() -> None:
    parts = parts_by_class(torch.zeros(1000, dtype=torch.long), of_names(files(1000)), {"test": 100, "val": 200}, 0)
    assert [len(parts[part]) for part in ("test", "val")] == pytest.approx([100, 200], abs=30)
    with pytest.raises(UserError, match="--data.val_size 90 holds out 90 of 7"):
        parts_by_class(torch.zeros(100, dtype=torch.long), of_names(files(100)), {"test": 0.2, "val": 90}, 0)


@pytest.mark.parametrize("size", [1.5, float("nan"), float("inf")])
def test_a_size_that_is_neither_share_nor_number_is_refused(size: float) -> None:
    with pytest.raises(UserError, match=rf"--data.val_size is {size}: it must be a share below 1, or a whole number"):
        held_out("val_size", size, 230)
