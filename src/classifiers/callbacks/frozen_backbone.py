"""A head that learns by itself before the rest of the net does."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn
from torch.optim import Optimizer


class FrozenBackbone(Callback):
    """Keeps the parameters of the module's `backbone` as they are for the first `epochs`.

    Unlike Lightning's `BackboneFinetuning`, it leaves the optimiser all parameters from the first step on, so that its
    schedule and `backbone_lr_scale` hold for them, and several processes agree on their gradients. Statistics of batch
    norms are gathered meanwhile.
    """

    def __init__(self, epochs: int = 1) -> None:
        self.epochs = epochs
        self._parameters: list[nn.Parameter] = []

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Know them before a checkpoint that a fit goes on from says which are frozen."""
        backbone: Any = pl_module.backbone
        self._parameters = [parameter for parameter in backbone.parameters() if parameter.requires_grad]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._train(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._train(trainer)

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        for parameter in self._parameters if self._freezes(trainer) else ():
            parameter.grad = None  # as an optimiser leaves alone

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for parameter in self._parameters:
            parameter.requires_grad_(True)

    def _train(self, trainer: Trainer) -> None:
        """Compute no gradient that nobody needs; but of several processes, each waits for those of all others."""
        for parameter in self._parameters if trainer.world_size == 1 else ():
            parameter.requires_grad_(not self._freezes(trainer))

    def _freezes(self, trainer: Trainer) -> bool:
        return trainer.current_epoch < self.epochs
