"""What people are shown of the images of a fit."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure

from classifiers.data.coverage import remarks
from classifiers.data.loaders import LoaderDataModule


class ShownDataModule(LoaderDataModule):
    """Tells of its sets in the panel of a run, and shows some images."""

    class_names: Sequence[str]

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def panel_rows(self) -> dict[str, str]:
        """What the start of a fit tells of the data."""
        images = f"{len(self.train_set):,} to train, {len(self.val_set):,} to validate"
        rows = {
            "data": f"{type(self).__name__}, {self.num_classes} classes",
            "images": f"{images}, {self.placed}" if self.placed else images,
        }
        found = [*self.remarks("train"), *self.remarks("val")]
        return {**rows, "beware": "\n".join(found)} if found else rows

    def remarks(self, part: str) -> list[str]:
        """What is to be known of the part "train", "val" or "test", once it is set up."""
        return [*remarks(part, getattr(self, f"{part}_set"), getattr(self, "train_set", None), self.class_names)]

    def show_batch(self, count: int = 16, seed: int | None = None) -> Figure:
        """`count` random training images, of a `seed` if given, augmented, over their class names. No fit is needed."""
        from classifiers.figures import labelled_grid  # which stands on this package

        if not hasattr(self, "train_set"):
            self.prepare_data()
            self.setup("validate")
        with torch.random.fork_rng(devices=()):
            torch.default_generator.seed() if seed is None else torch.default_generator.manual_seed(seed)
            images, labels = self.train_set.__getitems__(torch.randperm(len(self.train_set))[:count].tolist())
            return labelled_grid(*self.augment(images, labels), self.class_names, columns=min(8, count))
