"""Images in memory, fetched a batch at a time by one index."""

from torch import Tensor
from torch.utils.data import Dataset

Batch = tuple[Tensor, Tensor]  # uint8 images (B, C, H, W); labels (B,), or one-hot or soft rows (B, K)


class ImageDataset(Dataset[Batch]):
    """The images `(N, C, H, W)` and labels `(N,)` at `indices` `(M,)`; a batch of them is fetched by one index."""

    def __init__(self, images: Tensor, labels: Tensor, indices: Tensor) -> None:
        self.images, self.labels, self.indices = images, labels, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Batch:
        return self.images[self.indices[index]], self.labels[self.indices[index]]

    def __getitems__(self, batch: list[int]) -> Batch:
        indices = self.indices[batch]
        return self.images[indices], self.labels[indices]
