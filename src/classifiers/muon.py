"""Muon for convolutions, beside momentum SGD for all else."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class MuonSGD(Optimizer):
    """Steps each convolution along its momentum made orthogonal, at a fixed norm of its weights; SGD for the rest.

    After Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024), and "94% on CIFAR-10 in 2.6
    seconds" (2024). It suits nets whose convolutions are followed by batch norm, which doesn't ask how large they are.
    torch's own `Muon` takes matrices alone.

    Args:
        params: those of more than two dimensions are convolutions' weights `(O, I, h, w)`.
        lr: of all of them.
        momentum: of the convolutions.
        rest_momentum: of the rest. Nesterov's, both.
        weight_decay: of the rest.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float = 0.24,
        momentum: float = 0.6,
        rest_momentum: float = 0.85,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "rest_momentum": rest_momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            trained = [parameter for parameter in group["params"] if parameter.grad is not None]
            convolutions = [parameter for parameter in trained if parameter.ndim > 2]
            for weight, update in zip(convolutions, self._updates(convolutions, group["momentum"]), strict=True):
                weight.mul_(len(weight) ** 0.5 / weight.norm())
                weight.add_(orthogonal(update.flatten(1)).view_as(weight), alpha=-group["lr"])
            if rest := [parameter for parameter in trained if parameter.ndim <= 2]:
                updates = self._updates(rest, group["rest_momentum"], group["weight_decay"])
                torch._foreach_add_(rest, updates, alpha=-group["lr"])
        return loss

    def _updates(self, parameters: list[Tensor], momentum: float, weight_decay: float = 0.0) -> list[Tensor]:
        """Their gradients, with Nesterov's momentum."""
        if not parameters:
            return []
        gradients: Any = [parameter.grad for parameter in parameters]
        if weight_decay:
            gradients = torch._foreach_add(gradients, parameters, alpha=weight_decay)
        for parameter in parameters:
            self.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))
        buffers = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_mul_(buffers, momentum)
        torch._foreach_add_(buffers, gradients)
        return list(torch._foreach_add(gradients, buffers, alpha=momentum))


def orthogonal(matrix: Tensor, steps: int = 3) -> Tensor:
    """Near the orthogonal matrix `(m, n)` that is nearest to `matrix`, by Newton and Schulz's iteration in bf16.

    Its singular values come to lie about 1; the quintic's coefficients are those of Jordan et al.
    """
    found = matrix.bfloat16()
    found = found / (found.norm() + 1e-7)
    tall = len(matrix) > matrix.shape[1]
    found = found.mT if tall else found
    for _ in range(steps):
        square = found @ found.mT
        found = 3.4445 * found + (-4.7750 * square + 2.0315 * square @ square) @ found
    result: Tensor = found.mT if tall else found
    return result.to(matrix.dtype)
