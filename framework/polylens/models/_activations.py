"""The nonlinearities that networks trained here can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Activation = Literal["relu", "leaky_relu", "hardtanh", "tanh", "gelu", "silu"]
"""Names in YAML. relu, leaky_relu and hardtanh are piecewise linear; the others are smooth."""


def unit(activation: Activation) -> torch.nn.Module:
    """A fresh nonlinearity. Not in place, so that pre-activations are still there when they are looked at."""
    from torch import nn

    kinds: dict[Activation, type[nn.Module]] = {
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "hardtanh": nn.Hardtanh,
        "tanh": nn.Tanh,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
    }
    return kinds[activation]()
