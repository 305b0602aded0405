from pathlib import Path

import pytest
import torch
from PIL import Image

from classifiers import ArrayDataModule, ImageDataModule, ImageFolderDataModule, SyntheticDataModule
from classifiers.data.folds import Folds
from classifiers.data.identity import of_names
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL, Cli, Fails

LABELS = torch.tensor([0] * 50 + [1] * 23 + [2] * 4)
KNOWN = of_names(f"{at}.png" for at in range(77))


@pytest.mark.parametrize("many", [2, 5, 77])
def test_folds_are_disjoint_cover_all_and_have_their_share_of_each_class(many: int) -> None:
    held = []
    for fold in range(many):
        train, val = Folds(many, fold).split(LABELS, KNOWN, seed=0)
        assert sorted([*train.tolist(), *val.tolist()]) == list(range(77))
        assert (train.tolist(), val.tolist()) == (sorted(train.tolist()), sorted(val.tolist()))
        for label, count in enumerate((50, 23, 4)):
            assert count // many <= int((LABELS[val] == label).sum()) <= -(-count // many)
        assert 77 // many <= len(val) <= -(-77 // many)
        held += val.tolist()
    assert sorted(held) == list(range(77))


def test_the_seed_draws_them_and_no_order() -> None:
    first, again, other = (Folds(5, 2).split(LABELS, KNOWN, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == again != other
    order = torch.randperm(77, generator=torch.Generator().manual_seed(1))
    moved = Folds(5, 2).split(LABELS[order], KNOWN[order], 0)[1]
    assert sorted(order[moved].tolist()) == first


def folder(root: Path) -> Path:
    for kind, shade in (("dark", 0), ("light", 128)):
        (root / kind).mkdir(parents=True)
        for number in range(20):
            Image.new("L", (8, 8), shade + number).save(root / kind / f"{number}.png")
    return root


@pytest.mark.parametrize("kind", ["array", "folder", "streamed", "synthetic", "one-hot"])
def test_every_data_module_has_them(kind: str, tmp_path: Path) -> None:
    root, held, tests = folder(tmp_path / "photos"), [], set()
    for fold in range(4):
        given = {"folds": 4, "fold": fold}
        data: ImageDataModule
        if kind == "array":
            images = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1).repeat(1, 1, 8, 8)
            data = ArrayDataModule(images, [0] * 20 + [1] * 20, **given)
        elif kind in ("folder", "streamed"):
            limit = 0 if kind == "streamed" else 4
            data = ImageFolderDataModule(root, image_size=8, in_channels=1, memory_limit=limit, **given)
        else:
            data = SyntheticDataModule(train_size=40, one_hot=kind == "one-hot", **given)
        data.setup("fit")
        data.setup("test")
        train, val, test = ({*part.indices.tolist()} for part in (data.train_set, data.val_set, data.test_set))
        assert not train & val
        held += val
        known = [data.known(part).tolist() for part in ("train", "val", "test")]
        assert len({*known[0], *known[1], *known[2]}) == len(train) + len(val) + len(test)
        tests.add(tuple(known[2]))
        assert len(train | val) // 4 <= len(val) <= -(-len(train | val) // 4)
    assert sorted(held) == list(range(len(train | val)))
    assert len(tests) == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["folds=1"], "--data.folds is 1: it must be at least 2"),
        (["folds=5", "fold=5"], "--data.fold is 5: give a number from 0 to 4"),
        (["folds=5", "fold=-1"], "--data.fold is -1: give a number from 0 to 4"),
        (["fold=2"], "--data.fold is 2: give --data.folds too, into how many"),
        (["folds=401"], "--data.folds is 401, and there are 400 images: take fewer"),
        (["folds=2", "validate_on_test=true"],
         "--data.folds are of training images: leave --data.validate_on_test out"),
    ],
)  # fmt: skip
def test_what_is_no_fold_is_one_line(options: list[str], line: str, fails: Fails) -> None:
    assert fails("fit", *SMALL, *(f"--data.{option}" for option in options)) == f"error: {line}"


def test_more_folds_than_images() -> None:
    with pytest.raises(UserError, match=r"^--data.folds is 78, and there are 77 images: take fewer$"):
        Folds(78, 0).split(LABELS, KNOWN, 0)


def test_a_fit_validates_on_its_fold(fit: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    fit("--data.folds=5", "--data.fold=3", "--trainer.enable_progress_bar=true")
    assert "320 to train, 80 to validate" in capsys.readouterr().out
