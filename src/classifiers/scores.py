"""Metrics of torchmetrics' beside loss and accuracy, under names of their own."""

import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from classifiers.experiment.errors import UserError, one_line

MetricCallable = Callable[[int], Metric]  # of the number of classes


class TopFive(Metric):
    """How often the class is among the five likeliest; torchmetrics' takes ten times as long to count that."""

    full_state_update = False
    right: Tensor
    images: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("right", "images"):
            self.add_state(name, default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, probabilities: Tensor, classes: Tensor) -> None:
        """Count a batch: probabilities `(B, K)`, classes `(B,)`."""
        self.right.add_((probabilities.topk(min(5, probabilities.shape[1])).indices == classes[:, None]).sum())
        self.images.add_(len(classes))

    def compute(self) -> Tensor:
        return self.right / self.images


def scores(metrics: Sequence[MetricCallable], classes: int) -> MetricCollection:
    """Top-5 accuracy where there are more than five `classes`, and the `metrics` of so many, by their names.

    Raises:
        UserError: there are no classes, two metrics have one name, or one makes no number of probabilities `(B, K)` and
            classes `(B,)`.
    """
    if metrics and classes < 2:
        cure = "ImageClassifier.for_data(net, data) takes them over"
        raise UserError(f"--model.metrics are of two or more classes, by their class_names: {cure}")
    named: dict[str, Metric] = {}
    if classes > 5:
        named["top5"] = TopFive()
    for metric in metrics:
        made = _made(metric, classes)
        if (name := name_of(made)) in named:
            raise UserError(f"--model.metrics has {name} twice: leave one out")
        named[name] = made
    return MetricCollection(dict(named))


def name_of(metric: Metric) -> str:
    """Such as `macro_f1`, `weighted_recall` and `auroc`, and `top3` of an accuracy."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(metric).__name__).lower()
    kind, most = words.removeprefix("multiclass_").removesuffix("_score"), getattr(metric, "top_k", None) or 1
    if most > 1:
        kind = f"top{most}" if kind == "accuracy" else f"top{most}_{kind}"
    average = getattr(metric, "average", None)
    return f"{average}_{kind}" if average and average != "micro" else kind


def _made(make: MetricCallable, classes: int) -> Metric:
    """The metric, which is tried on two images."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of two images, most have more to say
            metric = make(classes)
            metric.validate_args = False  # which would read from the device in each step
            found = metric.clone()(torch.eye(classes)[:2], torch.arange(2))
    except Exception as error:
        raise UserError(f"{_named(make)} is no metric of {classes} classes: {one_line(error)}") from error
    if not (isinstance(found, Tensor) and found.numel() == 1):
        raise UserError(f"{_named(make)} makes no single number: give it an average, or another metric")
    return metric


def _named(make: Any) -> str:
    name = getattr(getattr(make, "func", make), "__name__", "a function")
    return f"--model.metrics: {name}"
