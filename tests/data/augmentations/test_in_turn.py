import pytest
import torch
from torch import Tensor

from classifiers.data import Augmentation, CutMix, MixUp, RandomCrop, RandomErasing
from classifiers.data.augmentations.in_turn import InTurn
from classifiers.experiment.errors import UserError

IMAGES = torch.arange(8, dtype=torch.uint8)[:, None, None, None].expand(8, 1, 6, 6).contiguous()


class Brighter(Augmentation):
    def __call__(self, images: Tensor) -> Tensor:
        return images + 1


class Half(Augmentation):
    def __call__(self, images: Tensor) -> Tensor:
        return images / 2


def test_one_follows_the_other_and_labels_are_kept() -> None:
    images, labels = InTurn([Brighter(), Brighter()])(IMAGES, torch.arange(8), classes=10)
    assert torch.equal(images, IMAGES + 2)
    assert torch.equal(labels, torch.arange(8))


@pytest.mark.parametrize("labels", [torch.arange(8), torch.eye(8, 10).long(), torch.eye(8, 10)])
def test_both_mixtures_make_one_row_of_shares_of_any_labels(labels: Tensor) -> None:
    torch.manual_seed(0)
    _, rows = InTurn([MixUp(1.0), RandomErasing(), CutMix()])(IMAGES, labels, classes=10)
    assert rows.shape == (8, 10)
    assert torch.allclose(rows.sum(1), torch.ones(8))
    assert ((rows > 0).sum(1) == 3).any()  # of three images


def test_it_knows_what_mixes() -> None:
    assert InTurn([MixUp(), Brighter(), CutMix()]).mixing == "MixUp and CutMix"
    assert InTurn([Brighter()]).mixing == ""
    assert not InTurn([])


def test_trying_draws_nothing_and_tells_what_changes_the_kind() -> None:
    state = torch.get_rng_state()
    InTurn([RandomErasing(p=1), MixUp()]).try_on((3, 8, 8))
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(UserError, match="^Half makes torch.float32 .* of torch.uint8 .*: an augmentation keeps"):
        InTurn([Half()]).try_on((1, 8, 8))
    with pytest.raises(UserError, match="^RandomCrop's padding is 9"):
        InTurn([RandomCrop(9)]).try_on((1, 8, 8))
