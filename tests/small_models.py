"""A small data set, model and fit in plain Python, for tests of what a model does."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer

from classifiers import MLP, ImageClassifier, SyntheticDataModule
from classifiers.data.image_dataset import TO_MODEL

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
    return ImageClassifier.for_data(net, data, **arguments)


def saved(path: Path, **settings: Any) -> Path:
    """A checkpoint as the command line writes them, of an untrained net, with other settings if given."""
    torch.manual_seed(0)
    data = synthetic()
    arguments = {"in_channels": data.in_channels, "image_size": data.image_size, "num_classes": 4, "hidden": [8]}
    hyper_parameters: dict[str, Any] = {
        "net": {"class_path": "classifiers.MLP", "init_args": arguments},
        **{name: getattr(data, name) for name in TO_MODEL},
        "_instantiator": "lightning.pytorch.cli.instantiate_module",
        **settings,
    }
    content = {"pytorch-lightning_version": "2.6.6", "state_dict": small(data).state_dict()}
    torch.save({**content, "hyper_parameters": hyper_parameters}, path)
    return path


def trained(model: ImageClassifier, data: SyntheticDataModule, **arguments: Any) -> Trainer:
    trainer = Trainer(**{**QUIET, "max_epochs": 2, **arguments})
    trainer.fit(model, data)
    return trainer
