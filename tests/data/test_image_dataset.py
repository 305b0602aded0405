import torch

from classifiers.data.image_dataset import ImageDataset
from classifiers.metrics import class_indices


def test_a_batch_is_what_its_indices_name() -> None:
    images = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1)
    data = ImageDataset(images, torch.arange(5) + 10, torch.tensor([4, 2, 0]))
    assert len(data) == 3
    batch, labels = data.__getitems__([2, 0])
    assert (batch.flatten().tolist(), labels.tolist()) == ([0, 4], [10, 14])
    assert [part.item() for part in data[1]] == [2, 12]
    assert [labels.tolist() for _, labels in (data.first(2), data.first(9))] == [[14, 12], [14, 12, 10]]


def test_rows_are_made_of_a_batch_alone() -> None:
    labels = torch.tensor([2, 0, 1])
    data = ImageDataset(torch.zeros(3, 1, 1, 1, dtype=torch.uint8), labels, torch.tensor([1, 0]), classes=3)
    expected = [[1, 0, 0], [0, 0, 1]]
    batches = [rows for _, rows in (data.first(2), *data.batches(torch.tensor([0, 1]), 2))]
    assert [(rows.dtype, rows.tolist()) for rows in batches] == [(torch.int64, expected)] * 2
    assert data.labels is labels


def test_classes_are_read_off_labels_and_rows() -> None:
    assert class_indices(torch.tensor([2, 0])).tolist() == [2, 0]
    assert class_indices(torch.tensor([[0, 0, 1], [1, 0, 0]])).tolist() == [2, 0]
    assert class_indices(torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])).tolist() == [2, 0]
