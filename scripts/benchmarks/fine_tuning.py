"""What a net gains that knows other pictures: here CIFAR-10, as it learns a tenth of Fashion-MNIST."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
import yaml

from benchmarks.measure import CONFIGS, Bench, Row
from benchmarks.pays import reached, told, write_files
from classifiers import FashionMNISTDataModule, fit

SHIFTED = "[{class_path: RandomCrop, init_args: {padding: 4}}, RandomHorizontalFlip]"
SCRATCH = ["--model.net.weights=null", "--model.backbone_lr_scale=1.0", "--trainer.callbacks=null"]


def fine_tuning(bench: Bench) -> Iterator[Row]:
    """`configs/finetune.yaml` beside the same net from scratch, for as many epochs and for four times as many."""
    with tempfile.TemporaryDirectory() as folder:
        bench.tell("resnet18 on CIFAR-10")
        known = fit(
            CONFIGS / "finetune.yaml",
            {"data": "CIFAR10DataModule", "data.root": str(bench.root), "data.augmentations": yaml.safe_load(SHIFTED),
             "trainer.default_root_dir": folder, "model.net.weights": None, "model.backbone_lr_scale": 1.0,
             "trainer.callbacks": None, "figures": False},
        )  # fmt: skip
        weights = Path(folder, "resnet18.pth")
        torch.save(known.model.net.backbone.state_dict(), weights)
        counts = {"train": lambda label: 600, "test": lambda label: 1000}
        write_files(FashionMNISTDataModule(bench.root), Path(folder, "pictures"), counts)
        given = [
            f"--config={CONFIGS}/finetune.yaml",
            f"--data.root={folder}/pictures",
            "--data.image_size=32",
            f"--data.augmentations={SHIFTED}",
            "--threads=1",
        ]
        tuned = reached(bench, "fine-tuned", [*given, f"--model.net.weights={weights}"], "test/acc")
        for epochs in (6, 24):
            new = f"{epochs} epochs from scratch"
            scratch = reached(bench, new, [*given, *SCRATCH, f"--trainer.max_epochs={epochs}"], "test/acc")
            gain = statistics.mean(tuned) - statistics.mean(scratch)
            case = f"6 epochs from {known.metrics['test/acc']:.1%} of CIFAR-10, {new}"
            yield Row("fine-tuning", case, told(tuned), told(scratch), 100 * gain, unit=" points")
