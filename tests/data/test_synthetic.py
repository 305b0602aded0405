import torch

from classifiers.data import SyntheticDataModule


def test_shapes_and_names_are_as_asked() -> None:
    data = SyntheticDataModule(num_classes=3, in_channels=3, image_size=20, train_size=50, test_size=20)
    images, labels = data.load(train=True)
    assert (images.shape, images.dtype) == ((50, 3, 20, 20), torch.uint8)
    assert set(labels.tolist()) == {0, 1, 2}
    assert (data.num_classes, data.class_names) == (3, ("pattern 0", "pattern 1", "pattern 2"))
    assert (data.mean, data.std) == ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def test_the_seed_alone_draws_the_images() -> None:
    first, again, other = (SyntheticDataModule(seed=seed, train_size=9).load(train=True) for seed in (1, 1, 2))
    torch.manual_seed(3)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_training_and_test_images_differ_but_show_the_same_patterns() -> None:
    data = SyntheticDataModule(train_size=2000, test_size=2000)
    (train, train_labels), (test, test_labels) = data.load(train=True), data.load(train=False)
    assert not {image.numpy().tobytes() for image in train} & {image.numpy().tobytes() for image in test}
    for label in range(10):
        mean = train[train_labels == label].float().mean(0)
        assert (mean - test[test_labels == label].float().mean(0)).abs().max() < 40
