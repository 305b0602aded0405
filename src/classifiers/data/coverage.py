"""What the numbers of a part's images mean for what is measured on them."""

from collections.abc import Iterator, Sequence

import numpy as np
from torch import Tensor

from classifiers.data.identity import Words, pixel_words
from classifiers.data.image_dataset import ImageDataset
from classifiers.metrics import class_indices

IMBALANCE = 10  # times as many images of a class as of another, above which it is told
CURE = "--model.class_weights balanced or --data.balanced true make all classes count alike"
SCARCE = 10  # images of a class to train on, below which it is told
FEW = 100  # images, below which one of them is more than a percent
NAMED = 5  # classes, at most
WHAT = {"train": "to train on", "val": "to validate on", "test": "to test on"}


def counts(images: ImageDataset, classes: int) -> Tensor:
    """How many of the images `(K,)` each of the classes has."""
    return class_indices(images.labels[images.indices]).bincount(minlength=classes)


def copies(images: ImageDataset, others: ImageDataset) -> int:
    """How many of the images have all pixels of one of the others, if both are in memory."""
    words, theirs = (_words(some) for some in (images, others))
    return 0 if words is None or theirs is None else int(np.isin(words, theirs).sum())


def contradictions(images: ImageDataset) -> int:
    """How many of the images, if they are in memory, have all pixels of one of another class."""
    words = _words(images)
    if words is None:
        return 0
    labels = class_indices(images.labels[images.indices]).numpy()
    order = np.lexsort((labels, words))
    same, other = words[order][1:] == words[order][:-1], labels[order][1:] != labels[order][:-1]
    return int(np.isin(words, words[order][1:][same & other]).sum())


def _words(images: ImageDataset) -> Words | None:
    return pixel_words(images.images)[images.indices.numpy()] if isinstance(images.images, Tensor) else None


def remarks(part: str, images: ImageDataset, trained: ImageDataset | None, names: Sequence[str]) -> Iterator[str]:
    """What is to be known of the `images` of a `part` "train", "val" or "test", beside those that are `trained` on."""
    yield from of_counts(part, counts(images, len(names)), names)
    if part == "train" and (found := contradictions(images)):
        yield f"{found:,} images to train on are copies of one of another class"
    if part != "train" and trained:
        yield from of_copies(part, images, trained)


def of_copies(part: str, images: ImageDataset, trained: ImageDataset) -> Iterator[str]:
    """How many of the `images` of a `part` are those that are `trained` on."""
    if found := copies(images, trained):
        yield f"{found:,} of the {len(images):,} images {WHAT[part]} are copies of some to train on: inspect lists them"


def of_counts(part: str, counts: Tensor, class_names: Sequence[str]) -> Iterator[str]:
    """What is to be known of a `part` with these `counts` `(K,)` of images of each class."""
    what = WHAT[part]
    images = int(counts.sum())
    missing = [class_names[label] for label in (counts == 0).nonzero().flatten().tolist()]
    if missing:
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        yield f"no image {what} shows {', '.join(missing[:NAMED])}{more}: no metric tells of that"
    if part == "train" and images:
        most, least = int(counts.argmax()), int(counts.masked_fill(counts == 0, images + 1).argmin())
        if (times := int(counts[most]) / int(counts[least])) > IMBALANCE:
            both = f"{class_names[most]} has {counts[most]:,} images {what}, {class_names[least]} {counts[least]:,}"
            yield f"{both}, {times:.0f} times less: macro_f1 tells more than accuracy; {CURE}"
    if part == "test" and 0 < images < FEW:
        yield f"there are {images} images {what}: each is {1 / images:.1%} of the accuracy"


def scarce(counts: Sequence[int], class_names: Sequence[str]) -> Iterator[str]:
    """Of which classes there are few images to train on, by their `counts` `(K,)`, the fewest first."""
    few = sorted((count, name) for count, name in zip(counts, class_names, strict=True) if 0 < count < SCARCE)
    if few:
        more = f" and {len(few) - NAMED:,} more" if len(few) > NAMED else ""
        named = ", ".join(f"{name} {count}" for count, name in few[:NAMED])
        yield f"classes of fewer than {SCARCE} images to train on: {named}{more}"
