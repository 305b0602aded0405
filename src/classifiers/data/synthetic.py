"""Images drawn from a seed: no files, no network, any size. For tests, demos and machines without data."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from classifiers.data.image_data_module import ImageDataModule
from classifiers.experiment.errors import UserError


class SyntheticDataModule(ImageDataModule):
    """Each class is a smooth pattern drawn from `seed`; each image shows its class's pattern, shifted and noisy.

    Args:
        num_classes: how many patterns.
        in_channels: channels of every image.
        image_size: height and width in pixels.
        train_size: images in the training split, validation images included.
        test_size: images in the test split.
        seed: draws the patterns and the images, whatever the run's seed.
        kwargs: options of every data module.

    Raises:
        UserError: no class.
    """

    def __init__(
        self,
        num_classes: int = 10,
        in_channels: int = 1,
        image_size: int = 28,
        train_size: int = 2500,
        test_size: int = 500,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if num_classes < 1:
            raise UserError(f"--data.num_classes is {num_classes}: it must be at least 1")
        self.class_names = tuple(f"pattern {label}" for label in range(num_classes))
        self.in_channels = in_channels
        self.image_size = image_size
        self.mean = (0.5,) * in_channels  # roughly: pixels are uniform before shifts and noise
        self.std = (0.25,) * in_channels
        super().__init__(**kwargs)
        self.train_size = train_size
        self.test_size = test_size
        self.seed = seed

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        size = self.image_size
        draw = torch.Generator().manual_seed(self.seed)
        coarse = torch.rand(self.num_classes, self.in_channels, 4, 4, generator=draw)
        patterns = F.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)
        draw.manual_seed(2 * self.seed + 1 + train)
        labels = torch.randint(self.num_classes, (self.train_size if train else self.test_size,), generator=draw)
        shift = max(1, size // 8)
        row, column = torch.randint(-shift, shift + 1, (2, len(labels), 1), generator=draw)
        rows, columns = (torch.arange(size) + row) % size, (torch.arange(size) + column) % size  # (N, H), (N, W)
        images = patterns[labels[:, None, None], :, rows[:, :, None], columns[:, None, :]].movedim(3, 1)
        noisy = images + 0.1 * torch.randn(images.shape, generator=draw)
        return noisy.mul(255).round().clamp(0, 255).to(torch.uint8), labels
