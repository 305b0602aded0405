from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import Tensor

from classifiers.data import ArrayDataModule, RandomHorizontalFlip, SyntheticDataModule
from classifiers.experiment.errors import UserError
from classifiers.metrics import class_indices
from tests.small_models import small, trained


def made(**arguments: object) -> SyntheticDataModule:
    data = SyntheticDataModule(train_size=230, test_size=70, **{"batch_size": 32, **arguments})  # type: ignore[arg-type]
    data.setup("fit")
    data.setup("test")
    return data


def seen(loader: object) -> list[int]:
    """How often each image of a data set whose images were numbered by `numbered` came out of its loader."""
    return sorted(int(value) for images, _ in loader for value in images.flatten())  # type: ignore[attr-defined]


def numbered(data: SyntheticDataModule) -> SyntheticDataModule:
    for split in (data.train_set, data.val_set, data.test_set):
        split.images = torch.arange(len(split.images)).view(-1, 1, 1, 1)
    return data


def test_the_shape_of_an_image_is_told() -> None:
    data = SyntheticDataModule(in_channels=3, image_size=20, train_size=20, test_size=10)
    assert data.load(train=False)[0].shape[1:] == data.image_shape == (3, 20, 20)


def test_the_files_of_a_data_set_may_be_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert SyntheticDataModule(root="~/data").root == Path("/home/me/data")


def test_the_split_is_disjoint_and_complete() -> None:
    train, val = SyntheticDataModule(val_size=30).split(230)
    assert (len(train), len(val)) == (200, 30)
    assert sorted([*train.tolist(), *val.tolist()]) == list(range(230))


def test_the_split_is_the_same_in_every_run() -> None:
    seed_everything(5)
    _, val = SyntheticDataModule(val_size=4).split(1000)
    assert val.tolist() == [37, 44, 675, 775]


def test_the_split_seed_draws_another_split() -> None:
    _, val = SyntheticDataModule(val_size=4).split(1000)
    _, other = SyntheticDataModule(val_size=4, split_seed=1).split(1000)
    assert val.tolist() != other.tolist()


def test_a_size_below_one_is_a_share() -> None:
    assert len(SyntheticDataModule(val_size=0.2).split(230)[1]) == 46
    assert len(SyntheticDataModule().split(60000)[1]) == 6000


@pytest.mark.parametrize("val_size", [0, 230, 231, 0.0001, -1])
def test_a_split_that_leaves_nothing_is_refused(val_size: float) -> None:
    with pytest.raises(UserError, match=rf"--data.val_size {val_size} holds out -?\d+ of 230 training images"):
        made(val_size=val_size)


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(UserError, match="--data.batch_size is 0: it must be at least 1"):
        SyntheticDataModule(batch_size=0)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_every_image_comes_exactly_once(num_workers: int) -> None:
    data = numbered(made(val_size=30, num_workers=num_workers))
    train, val = data.split(230)
    assert seen(data.train_dataloader()) == train.tolist()
    assert seen(data.val_dataloader()) == val.tolist()
    assert seen(data.test_dataloader()) == list(range(70))
    assert seen(data.predict_dataloader()) == list(range(70))
    assert [len(loader) for loader in (data.train_dataloader(), data.val_dataloader())] == [7, 1]


def test_batches_are_uint8_images_and_their_own_labels() -> None:
    data = made()
    for images, labels in data.train_dataloader():
        assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
        assert images.shape[1:] == (1, 28, 28)
        for image, label in zip(images, labels, strict=True):
            assert (data.train_set.images == image).flatten(1).all(1).nonzero().shape == (1, 1)
            assert label == data.train_set.labels[(data.train_set.images == image).flatten(1).all(1)]


def test_only_training_batches_are_shuffled() -> None:
    data = numbered(made(val_size=0.5))
    loader = data.train_dataloader()
    first = next(iter(loader))[0].flatten().tolist()
    assert first == next(iter(loader))[0].flatten().tolist() != sorted(first)
    loader.sampler.set_epoch(1)  # type: ignore[attr-defined]
    assert first != next(iter(loader))[0].flatten().tolist()
    images, _ = next(iter(data.val_dataloader()))
    assert images.flatten().tolist() == data.val_set.indices[:32].tolist()


class Recorder(LightningModule):
    """Notes whether the images of each stage came out mirrored."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.mirrored: dict[str, set[bool]] = {}

    def _note(self, stage: str, images: torch.Tensor) -> None:
        self.mirrored.setdefault(stage, set()).add(bool(images[0, 0, 0, 0] == 27))

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        self._note("train", batch[0])
        return self.weight * 1

    def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        self._note("val", batch[0])

    def test_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        self._note("test", batch[0])

    def predict_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        self._note("predict", batch[0])
        return batch[1]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_only_training_batches_are_augmented() -> None:
    data = made(augmentations=[RandomHorizontalFlip(p=1)])
    for split in (data.train_set, data.val_set, data.test_set):
        split.images = torch.arange(28, dtype=torch.uint8).expand(len(split.images), 1, 28, 28)
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Recorder()
    trainer.fit(model, data)
    trainer.test(model, data, verbose=False)
    trainer.predict(model, data)
    assert model.mirrored == {"train": {True}, "val": {False}, "test": {False}, "predict": {False}}


class ChangedDataModule(SyntheticDataModule):
    """What it loads is what the base loads, changed by `change`."""

    change: Any = None

    def load(self, train: bool) -> tuple[Any, Any]:
        loaded: tuple[Any, Any] = self.change(*super().load(train))
        return loaded


def changed(change: Any) -> ChangedDataModule:
    data = ChangedDataModule(num_classes=3, image_size=16, train_size=230, test_size=70)
    data.change = change
    return data


def test_floats_of_to_tensor_train_what_uint8_trains() -> None:
    weights = []
    for change in (lambda images, labels: (images, labels), lambda images, labels: (images / 255, labels.int())):
        data = changed(change)
        torch.manual_seed(0)
        model = small(data)
        trained(model, data, max_epochs=1)
        assert (data.train_set.first(1)[0].dtype, data.train_set.labels.dtype) == (torch.uint8, torch.int64)
        weights.append(torch.cat([weight.flatten() for weight in model.parameters()]))
    assert torch.equal(*weights)


DECLARED = "a uint8 Tensor of (1, 16, 16), (C, H, W)"


class Lazy:
    """Floats that are made when they are indexed."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.images[index] / 255


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda images, labels: (images / 127.5 - 1, labels),
            ": float32 from -1 to 1 can't be made uint8 exactly; leave out Normalize, which the model does, or round "
            "them to uint8 of 0 to 255 yourself",
        ),
        (
            lambda images, labels: (Lazy(images), labels),
            f" gives Lazy with torch.float32 of (1, 16, 16) for images: it must be {DECLARED}",
        ),
        (
            lambda images, labels: (images.numpy(), labels),
            f" gives ndarray with uint8 of (16, 16) for images: it must be {DECLARED}",
        ),
        (
            lambda images, labels: (images.movedim(1, 3), labels),
            f" gives Tensor with torch.uint8 of (16, 16, 1) for images: it must be {DECLARED}",
        ),
        (
            lambda images, labels: (images[:9], labels),
            " gives 9 images and labels (230,): there must be some, and one label (N,) for each image",
        ),
        (
            lambda images, labels: (images[:0], labels[:0]),
            " gives 0 images and labels (0,): there must be some, and one label (N,) for each image",
        ),
        (
            lambda images, labels: (images, labels + 1),
            " gives labels from 1 to 3: they must be whole numbers from 0 to 2, by class_names",
        ),
        (
            lambda images, labels: (images, labels / 4),
            " gives labels from 0 to 0.5: they must be whole numbers from 0 to 2, by class_names",
        ),
    ],
)
def test_what_is_loaded_must_be_what_is_declared(change: Any, line: str) -> None:
    for stage in ("fit", "test"):
        with pytest.raises(UserError) as error:
            changed(change).setup(stage)
        assert str(error.value) == f"ChangedDataModule's load{line}".replace(
            "(230,)", "(230,)" if stage == "fit" else "(70,)"
        )


def test_a_batch_is_shown_before_any_fit_and_leaves_the_fit_as_it_is() -> None:
    data = SyntheticDataModule(image_size=8, augmentations=[Whiten()], train_size=60, test_size=9)
    state = torch.get_rng_state()
    figure = data.show_batch(12)
    assert torch.equal(torch.get_rng_state(), state)
    (axes,) = figure.axes
    assert len(axes.images) == len(axes.texts) == 12
    assert {text.get_text() for text in axes.texts} <= {*data.class_names}
    assert all((image.get_array() == 255).all() for image in axes.images)
    data.setup("fit")
    assert len(data.train_dataloader()) == 1
    assert len(data.show_batch(3).axes[0].images) == 3


@pytest.mark.parametrize("one_hot", [False, True])
def test_an_epoch_may_draw_each_class_equally_often(one_hot: bool) -> None:
    labels = torch.arange(3).repeat_interleave(torch.tensor([300, 60, 40]))
    images = torch.randint(256, (400, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    data = ArrayDataModule(
        images, labels, class_names=["cat", "dog", "hen"], balanced=True, one_hot=one_hot, val_size=40
    )
    data.setup("fit")
    drawn = torch.cat([class_indices(labels) for _, labels in data.train_dataloader()])
    assert len(drawn) == len(data.train_set) == 326
    assert sorted(drawn.bincount().tolist()) == [108, 109, 109]
    validated = torch.cat([class_indices(labels) for _, labels in data.val_dataloader()])
    assert validated.bincount().argmax() == 0
    with pytest.raises(
        UserError, match="^--data.balanced true draws images at random: leave --data.shuffle false out$"
    ):
        SyntheticDataModule(balanced=True, shuffle=False)


class Whiten(RandomHorizontalFlip):
    def __call__(self, images: Tensor) -> Tensor:
        return torch.full_like(images, 255)
