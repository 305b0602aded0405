import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from classifiers.data import CutMix, MixUp
from classifiers.experiment.errors import UserError

CLASSES = torch.arange(200) % 10
ROWS = F.one_hot(CLASSES, 10).float()


def test_mixed_up_images_are_means_by_the_shares_of_their_labels() -> None:
    torch.manual_seed(0)
    images = torch.randint(256, (200, 3, 5, 4), dtype=torch.uint8)
    mixed, shares = MixUp(alpha=1.0)(images, ROWS)
    assert mixed.dtype == torch.uint8
    own = shares.gather(1, CLASSES[:, None])[:, :, None, None]
    assert torch.allclose(shares.sum(1), torch.ones(200))
    assert torch.allclose(shares.gather(1, CLASSES.roll(1)[:, None])[:, 0], 1 - own.flatten())
    expected = own * images + (1 - own) * images.roll(1, 0)
    assert (mixed - expected).abs().max() <= 0.5 + 1e-3
    assert 0.45 < own.mean() < 0.55  # of Beta(1, 1), all shares alike
    assert 0.07 < own.var() < 0.1


def test_cut_and_mixed_images_have_a_box_of_another_by_the_share_of_its_pixels() -> None:
    torch.manual_seed(0)
    images = (CLASSES % 200).to(torch.uint8)[:, None, None, None].expand(200, 2, 12, 9).contiguous()
    mixed, shares = CutMix()(images, ROWS)
    others = (mixed != images)[:, 0]
    assert torch.equal(mixed, torch.where(others[:, None], images.roll(1, 0), images))
    assert torch.allclose(shares.gather(1, CLASSES[:, None])[:, 0], 1 - others.float().mean((1, 2)))
    assert torch.allclose(shares.sum(1), torch.ones(200))
    height, width = others.any(2).sum(1), others.any(1).sum(1)
    assert torch.equal(others.sum((1, 2)), height * width)  # a box
    assert others.any(0).all()
    assert len(others.sum((1, 2)).unique()) > 30


@pytest.mark.parametrize("kind", [MixUp, CutMix])
def test_a_part_of_the_images_is_mixed(kind: type[MixUp | CutMix]) -> None:
    torch.manual_seed(0)
    images = torch.randint(256, (200, 1, 30, 30), dtype=torch.uint8)
    kept = (kind(alpha=5, p=0.3)(images, ROWS)[1] == ROWS).all(1)
    assert 120 < kept.sum() < 165
    same, rows = kind(p=0)(images, ROWS)
    assert torch.equal(same, images)
    assert torch.equal(rows, ROWS)


@pytest.mark.parametrize("kind", [MixUp, CutMix])
def test_wrong_numbers_are_one_line(kind: type[MixUp | CutMix]) -> None:
    with pytest.raises(UserError, match=f"^{kind.__name__}'s alpha is 0: it must be greater than 0$"):
        kind(alpha=0)
    with pytest.raises(UserError, match=f"^{kind.__name__}'s p is 2: it must be from 0 to 1$"):
        kind(p=2)
