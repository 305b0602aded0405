"""What a net gains that knows other pictures: here CIFAR-10, as it learns a tenth of Fashion-MNIST."""

import json
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import CONFIGS, Bench, Row
from benchmarks.pays import reached, told, write_files
from classifiers import FashionMNISTDataModule, fit

CONFIG, NET = CONFIGS / "finetune.yaml", "shufflenet_v2_x1_0"
SHIFTS = [{"class_path": "RandomCrop", "init_args": {"padding": 4}}, {"class_path": "RandomHorizontalFlip"}]
GIVEN = {"model.net.name": NET, "data.batch_size": 128, "data.augmentations": SHIFTS}
SCRATCH = {"model.net.weights": None, "model.backbone_lr_scale": 1.0, "trainer.callbacks": None}


def fine_tuning(bench: Bench) -> Iterator[Row]:
    """`configs/finetune.yaml` beside the same net from scratch, for as many epochs and for twice as many."""
    with tempfile.TemporaryDirectory() as folder:
        bench.tell(f"{NET} on CIFAR-10")
        where = {"data": "CIFAR10DataModule", "data.root": str(bench.root), "trainer.default_root_dir": folder}
        known = fit(CONFIG, {**where, **GIVEN, **SCRATCH, "trainer.max_epochs": 4, "figures": False})
        weights = f"{folder}/cifar10.pth"
        torch.save(known.model.net.backbone.state_dict(), weights)
        counts = {"train": lambda label: 600, "test": lambda label: 1000}
        write_files(FashionMNISTDataModule(bench.root), Path(folder, "pictures"), counts)
        given = GIVEN | {"data.root": f"{folder}/pictures", "data.image_size": 32, "threads": 1}
        tuned = reached(bench, "fine-tuned", _options(given | {"model.net.weights": weights}), "test/acc")
        for epochs in (6, 12):
            new = f"{epochs} epochs from scratch"
            scratch = reached(bench, new, _options(given | SCRATCH | {"trainer.max_epochs": epochs}), "test/acc")
            gain = statistics.mean(tuned) - statistics.mean(scratch)
            case = f"6 epochs from {known.metrics['test/acc']:.1%} of CIFAR-10, {new}"
            yield Row("fine-tuning", case, told(tuned), told(scratch), 100 * gain, unit=" points")


def _options(given: Mapping[str, Any]) -> list[str]:
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    return [f"--config={CONFIG}", *(f"--{name}={text}" for name, text in texts.items())]
