import torch

from classifiers.data.identity import of_names, of_pixels, random_numbers


def images(count: int, side: int = 5) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, 3, side, side), dtype=torch.uint8, generator=draw)


def test_images_are_known_by_their_pixels_wherever_they_stand() -> None:
    some = images(2000)
    known = of_pixels(some)
    assert len(known.unique()) == 2000
    order = torch.randperm(2000, generator=torch.Generator().manual_seed(1))
    assert torch.equal(of_pixels(some[order]), known[order])
    assert torch.equal(of_pixels(some[:7]), known[:7])


def test_one_pixel_makes_another_image() -> None:
    some = images(1).repeat(75, 1, 1, 1)
    some.view(75, -1)[torch.arange(75), torch.arange(75)] += 1
    assert len(of_pixels(torch.cat([some, images(1)])).unique()) == 76


def test_copies_are_told_apart() -> None:
    some = images(2)
    known = of_pixels(torch.cat([some, some, some]))
    assert len(known.unique()) == 6
    assert torch.equal(known[:2], of_pixels(some))


def test_names_are_known_by_all_of_their_letters() -> None:
    assert len(of_names(["a", "b", "ab", "a/b", "\udcff"]).unique()) == 5
    assert of_names(["cat.jpg"]).tolist() == [2187389003664481264]  # the same in any version of anything


def test_random_numbers_follow_from_the_image_and_the_draw() -> None:
    known = of_names(map(str, range(10_000)))
    first, again, other = (random_numbers(known, draw) for draw in ("0 test", "0 test", "1 test"))
    assert torch.equal(first, again)
    assert first.min() >= 0
    assert first.max() < 1
    assert abs(first.mean() - 0.5) < 0.01
    assert abs(torch.corrcoef(torch.stack([first, other]))[0, 1]) < 0.03
