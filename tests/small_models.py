"""A small data set, model and fit in plain Python, for tests of what a model does."""

from typing import Any

from lightning.pytorch import Trainer

from classifiers import MLP, ImageClassifier, SyntheticDataModule

QUIET: dict[str, Any] = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


def synthetic(**arguments: Any) -> SyntheticDataModule:
    return SyntheticDataModule(**{"num_classes": 4, "image_size": 16, "train_size": 400, "test_size": 130, **arguments})


def small(data: SyntheticDataModule, **arguments: Any) -> ImageClassifier:
    net = MLP(data.in_channels, data.image_size, data.num_classes, hidden=[8])
    return ImageClassifier(net, mean=data.mean, std=data.std, class_names=data.class_names, **arguments)


def trained(model: ImageClassifier, data: SyntheticDataModule, **arguments: Any) -> Trainer:
    trainer = Trainer(**{**QUIET, "max_epochs": 2, **arguments})
    trainer.fit(model, data)
    return trainer
