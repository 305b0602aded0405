"""What the numbers of a part's images mean for what is measured on them."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from classifiers.data.image_dataset import ImageDataset
from classifiers.metrics import class_indices

IMBALANCE = 10  # times as many images of a class as of another, above which it is told
FEW = 100  # images, below which one of them is more than a percent
NAMED = 5  # classes, at most


def counts(images: ImageDataset, classes: int) -> Tensor:
    """How many of the images `(K,)` each of the classes has."""
    return class_indices(images.labels[images.indices]).bincount(minlength=classes)


def remarks(part: str, counts: Tensor, class_names: Sequence[str]) -> Iterator[str]:
    """What is to be known of a `part` "train", "val" or "test" with these `counts` `(K,)` of images of each class."""
    what = {"train": "to train on", "val": "to validate on", "test": "to test on"}[part]
    images = int(counts.sum())
    missing = [class_names[label] for label in (counts == 0).nonzero().flatten().tolist()]
    if missing:
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        yield f"no image {what} shows {', '.join(missing[:NAMED])}{more}: no metric tells of that"
    if part == "train" and images:
        most, least = int(counts.argmax()), int(counts.masked_fill(counts == 0, images + 1).argmin())
        if (times := int(counts[most]) / int(counts[least])) > IMBALANCE:
            both = f"{class_names[most]} has {counts[most]:,} images {what}, {class_names[least]} {counts[least]:,}"
            yield f"{both}, {times:.0f} times less: macro_f1 tells more than accuracy"
    if part == "test" and 0 < images < FEW:
        yield f"there are {images} images {what}: each is {1 / images:.1%} of the accuracy"
