"""The one LightningModule: any net with its normalisation, loss, metrics, optimiser and learning-rate schedule."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import torch
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torchmetrics import MetricCollection

from classifiers.class_weights import ClassWeighted, Weighting, weightable
from classifiers.data.image_dataset import TO_MODEL, TO_NET, Batch
from classifiers.data.resizing import Resize
from classifiers.data_of_net import of_net
from classifiers.losses import as_mean
from classifiers.metrics import LossAndAccuracy, MeasuredModule, class_indices
from classifiers.models.compilation import Graph, Mode
from classifiers.models.net import Net
from classifiers.models.normalisation import Normalisation
from classifiers.optimization import Optimized, require_callable
from classifiers.scores import MetricCallable, scores


class ImageClassifier(Optimized, ClassWeighted, MeasuredModule):
    """Trains and evaluates `net` on uint8 images `(B, C, H, W)` with labels `(B,)` or one-hot or soft rows `(B, K)`.

    Args:
        net: maps normalised float images to raw logits `(B, K)`.
        optimizer: makes the optimiser from the parameters; None means AdamW.
        lr_scheduler: makes the learning-rate schedule from the optimiser; None keeps the rate. A schedule that takes
            `total_steps` (`OneCycle`) is given the length of the run unless it is told otherwise.
        lr_scheduler_interval: how often the schedule advances; None leaves it to the schedule's kind.
        lr_scheduler_monitor: the metric that `ReduceLROnPlateau` watches; None means its own, else `val/loss`.
        loss: maps logits and targets to a mean loss `()`; None means cross-entropy.
        class_weights: how the loss weighs the images of each class by how many it has in training; None: all alike.
        decay_norms_and_biases: whether the optimiser's weight decay also shrinks parameters of one dimension.
        backbone_lr_scale: share of the rate at which all of the net but its head learns; None means all of it.
        layer_lr_decay: share of the next layer's rate at which each layer before the head learns; None means all of it.
        channels_last: whether net and images are laid out channels last, which most convolutions run faster on.
        compile: how `torch.compile` makes a graph of the net's training steps; None leaves it as it is.
        average_flips: whether evaluation takes the mean logits of each image and its mirror image.
        metrics: make metrics of torchmetrics' from the number of classes, which validation and test log too.
        class_names: of the K classes, in the order of the logits.
        mean: of each channel, in [0, 1]; subtracted from the images. Of one value: the same for all channels.
        std: of each channel, in [0, 1]; the images are divided by it.
        image_shape: `(C, H, W)` of the images.
        resize: how a picture becomes such an image.

    For another task than to tell classes apart, a subclass replaces `activation`, `correct` or both.
    """

    activation: nn.Module = nn.Softmax(dim=1)  # makes probabilities of logits

    def __init__(
        self,
        net: nn.Module | Net,
        optimizer: OptimizerCallable | None = None,
        lr_scheduler: LRSchedulerCallable | None = None,
        lr_scheduler_interval: Literal["epoch", "step"] | None = None,
        lr_scheduler_monitor: str | None = None,
        loss: nn.Module | None = None,
        class_weights: Weighting | None = None,
        decay_norms_and_biases: bool = True,
        backbone_lr_scale: float | None = None,
        layer_lr_decay: float | None = None,
        channels_last: bool = False,
        compile: Mode | None = None,
        average_flips: bool = False,
        metrics: list[MetricCallable] | None = None,
        class_names: Sequence[str] = (),
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
        image_shape: Sequence[int] | None = None,
        resize: Resize = "squash",
    ) -> None:
        super().__init__(scores(metrics or (), len(class_names) if isinstance(self.activation, nn.Softmax) else 0))
        self.save_hyperparameters()
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.net: nn.Module = net.to(memory_format=self.memory_format)
        self.optimizer = require_callable(optimizer or torch.optim.AdamW)
        self.lr_scheduler = lr_scheduler
        self.lr_scheduler_interval, self.lr_scheduler_monitor = lr_scheduler_interval, lr_scheduler_monitor
        self.loss = weightable(loss or nn.CrossEntropyLoss(), class_weights, len(class_names))
        self.class_weights = class_weights
        self.decay_norms_and_biases, self.average_flips = decay_norms_and_biases, average_flips
        self.backbone_lr_scale, self.layer_lr_decay = backbone_lr_scale, layer_lr_decay
        self.graph, self.class_names = Graph(compile), tuple(class_names)
        self.image_shape, self.resize = tuple(image_shape) if image_shape else None, resize
        if image_shape:  # gives the model summary its shapes
            self.example_input_array = torch.zeros(1, *image_shape, dtype=torch.uint8)
        self.normalise = Normalisation(mean, std, self.memory_format)

    @classmethod
    def for_data(cls, net: type[nn.Module] | Callable[..., nn.Module] | nn.Module, data: Any, **arguments: Any) -> Self:
        """A classifier of what an ImageDataModule serves, which tells it all that it needs to know of its images.

        `net` may be what makes one of `(in_channels, image_size, num_classes)`: a class, or a `partial` of it.
        """
        made = net if isinstance(net, nn.Module) else net(*(getattr(data, name) for name in TO_NET))
        told = {name: getattr(data, name) for name in TO_MODEL}
        return cls(made, **{**told, **of_net(made, data), **arguments})

    def forward(self, images: Tensor) -> Tensor:
        """Logits `(B, K)` of uint8 images `(B, C, H, W)`; UserError if they are of another type."""
        normalised = self.normalise(images)
        logits = self.graph(self.net, normalised)
        if self.average_flips and not self.training:
            logits = (logits + self.graph(self.net, normalised.flip(3))) / 2
        return logits

    def on_train_start(self) -> None:
        super().on_train_start()
        self.graph.make(self.net, self.trainer.train_dataloader)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self.evaluate(batch, self.train_metrics)[0]

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Class probabilities `(B, K)`, for callbacks; of a test too."""
        return self.scored(self.evaluate(batch, self.val_metrics)[1], batch[1], self.val_scores)

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self.scored(self.evaluate(batch, self.test_metrics)[1], batch[1], self.test_scores)

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Class probabilities `(B, K)`."""
        return self.probabilities(self(batch[0]))

    def evaluate(self, batch: Batch, metrics: LossAndAccuracy) -> tuple[Tensor, Tensor]:
        """The loss `()` and the logits `(B, K)` of a batch, counted in `metrics`."""
        logits, targets = self(batch[0]), batch[1]
        targets = targets.to(logits.dtype) if targets.ndim == 2 else targets
        loss: Tensor = self.loss(logits, targets)
        value, divisor = as_mean(self.loss, loss, targets)
        metrics.update(value, self.correct(logits.detach(), targets), divisor)
        return loss, logits

    def scored(self, logits: Tensor, targets: Tensor, scores: MetricCollection) -> Tensor:
        """The probabilities `(B, K)` of a batch, counted in `scores`."""
        probabilities = self.probabilities(logits)
        scores.update(probabilities, class_indices(targets))
        return probabilities

    def probabilities(self, logits: Tensor) -> Tensor:
        """Of the classes `(B, K)`, in single precision, from logits `(B, K)`."""
        return self.activation(logits.float())  # type: ignore[no-any-return]

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Which images `(B,)` are classified right: those whose greatest logit is that of their class; of mixed images,
        that of the greatest share.
        """
        return logits.argmax(1) == class_indices(targets)
