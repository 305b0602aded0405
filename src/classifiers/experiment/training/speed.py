"""What lets a fit run as fast as the machine can."""

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn


def bf16_is_fast(device: torch.device) -> bool:
    """Whether `device` has instructions for bf16 matrices."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.9 doesn't tell
    return device.type == "cpu" and any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16"))


def unused_speed(trainer: Trainer, model: LightningModule) -> str | None:
    """The options that would train `model` faster, or None. They pay for convolutions of 32 filters and more."""
    if not any(isinstance(layer, nn.Conv2d) and layer.out_channels >= 32 for layer in model.modules()):
        return None
    options = []
    if trainer.precision == "32-true" and bf16_is_fast(trainer.strategy.root_device):
        options.append("--trainer.precision bf16-mixed")
    if getattr(model, "memory_format", torch.channels_last) != torch.channels_last:
        options.append("--model.channels_last true")
    return " ".join(options) or None
