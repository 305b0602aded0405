"""Each kind of images through each way that batches are asked for."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer

from classifiers import ArrayDataModule, ImageClassifier, ImageFolderDataModule
from classifiers.data import ImageDataModule
from classifiers.data.image_dataset import ImageDataset
from classifiers.data.inspection import inspect_data
from classifiers.inference.export import export
from classifiers.models import MLP
from tests.photos import write_photos
from tests.small_models import QUIET

SIDE = 12


class Pictures(torch.utils.data.Dataset[Any]):
    classes = ("dark", "light")

    def __len__(self) -> int:
        return 60

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        draw = torch.Generator().manual_seed(index)
        return torch.randint(256, (3, SIDE, SIDE), dtype=torch.uint8, generator=draw), index % 2


def made(kind: str, folder: Path, num_workers: int) -> ImageDataModule:
    options: dict[str, Any] = {"num_workers": num_workers, "batch_size": 16}
    if kind.startswith("folder"):
        cache = kind == "folder, mapped"
        limit = 4 if kind == "folder" else 0
        root = write_photos(folder / "photos", 30)
        return ImageFolderDataModule(root, image_size=SIDE, memory_limit=limit, cache=cache, **options)
    if kind.startswith("dataset"):
        limit = 0 if kind == "dataset, streamed" else 4
        return ArrayDataModule.from_dataset(Pictures(), memory_limit=limit, **options)
    images, labels = zip(*(Pictures()[index] for index in range(60)), strict=True)
    return ArrayDataModule(torch.stack(images).numpy(), labels, **options)


def batches(data: ImageDataModule, images: ImageDataset) -> torch.Tensor:
    return torch.cat([batch for batch, _ in data.dataloader(images)])


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize(
    "kind", ["folder", "folder, streamed", "folder, mapped", "dataset", "dataset, streamed", "arrays"]
)
def test_images_of_any_kind_are_served_to_any_caller(kind: str, num_workers: int, tmp_path: Path) -> None:
    data = made(kind, tmp_path, num_workers)
    model = ImageClassifier.for_data(MLP, data)
    trainer = Trainer(**{**QUIET, "max_epochs": 1})
    trainer.fit(model, datamodule=data)
    for evaluate in (trainer.validate, trainer.test):
        (found,) = evaluate(model, datamodule=data, verbose=False)
        assert min(found.values()) >= 0
    predicted = trainer.predict(model, datamodule=data)
    assert predicted is not None
    assert len(torch.cat(predicted)) == len(data.test_set)  # type: ignore[arg-type]
    assert sum(inspect_data(data).sizes.values()) == 60
    images = batches(data, data.test_set)
    assert torch.equal(images, data.test_set.first(60)[0])
    assert export(model, tmp_path / "x.pt2", images) < 1e-4
