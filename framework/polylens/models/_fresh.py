"""Fresh weights of networks built here, drawn from a generator of their own and from nothing global."""

from __future__ import annotations

import torch
from torch import nn


def he_normal(module: nn.Module, *, generator: torch.Generator) -> nn.Module:
    """The module on the CPU with He-normal weights (fan-in, gain of ReLU), zero biases and unit batch norms.

    Args:
        module: of dense, convolution and batch-norm layers, usually on the meta device.
        generator: weights are drawn from it layer by layer, in the order of `named_modules`.

    Source: He et al. 2015, "Delving Deep into Rectifiers", section 2.2.
    """
    module = module.to_empty(device="cpu")
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
    return module
