"""Operations whose units have regimes: elementwise ones with their kinks, and max-pooling.

A table gives each operation the numbers at which its slope jumps, read off its arguments where these say
them. A smooth operation has one kink at 0, a proxy, and is marked as not piecewise linear. What is in no
table is no nonlinearity with regimes: tracing makes an obstacle of it unless it is linear.

Source: PyTorch's documentation of each operation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from polylens.dataflow.operations import Arguments
from polylens.dataflow.winners import ADAPTIVE, REDUCING, SLIDING


@dataclass(frozen=True)
class Regimes:
    """Where an elementwise operation changes regime."""

    kinks: tuple[float, ...]
    piecewise_linear: bool


def _at_zero(arguments: Arguments) -> Regimes:
    return Regimes((0.0,), piecewise_linear=True)


def _smooth(arguments: Arguments) -> Regimes:
    return Regimes((0.0,), piecewise_linear=False)


def _at(*names: str) -> Callable[[Arguments], Regimes | None]:
    """Kinks at the numbers given by these arguments; None where they are tensors."""

    def regimes(arguments: Arguments) -> Regimes | None:
        kinks = [arguments[name] for name in names if arguments.get(name) is not None]
        if not kinks or any(isinstance(kink, torch.Tensor) for kink in kinks):
            return None
        return Regimes(tuple(sorted(float(kink) for kink in kinks)), piecewise_linear=True)

    return regimes


def _shrink(arguments: Arguments) -> Regimes:
    bound = abs(float(arguments["lambd"]))
    return Regimes((-bound, bound), piecewise_linear=True)


_UNITS: dict[str, Callable[[Arguments], Regimes | None]] = {
    "relu": _at_zero,
    "leaky_relu": _at_zero,
    "_prelu_kernel": _at_zero,
    "rrelu_with_noise": lambda arguments: None if arguments["training"] else _at_zero(arguments),
    "abs": _at_zero,
    "threshold": _at("threshold"),
    "hardtanh": _at("min_val", "max_val"),
    "clamp": _at("min", "max"),
    "clamp_min": _at("min"),
    "clamp_max": _at("max"),
    "hardsigmoid": lambda arguments: Regimes((-3.0, 3.0), piecewise_linear=True),
    "hardshrink": _shrink,
    "softshrink": _shrink,
    # The larger (smaller) of two values is one of them plus a ReLU of their difference, whose kink is at 0.
    "maximum": _at_zero,
    "minimum": _at_zero,
    **dict.fromkeys(
        ("gelu", "silu", "sigmoid", "tanh", "elu", "celu", "selu", "softplus", "mish", "hardswish"), _smooth
    ),
    "log_sigmoid_forward": _smooth,
    # No operations of PyTorch's: see `composite`.
    **dict.fromkeys(("gelu_tanh", "quick_gelu", "clipped_gelu", "relu_squared"), _smooth),
}

_POOLS = (*SLIDING, *ADAPTIVE, *REDUCING)


def is_site(operation: str) -> bool:
    """Whether the operation may be a nonlinearity with regimes of its own, and is counted as a site."""
    return operation in _UNITS or operation in _POOLS


def is_pool(operation: str) -> bool:
    """Whether the operation keeps the winner of each window."""
    return operation in _POOLS


def regimes(operation: str, arguments: Arguments) -> Regimes | None:
    """The regimes of an elementwise operation called like this; None where they are not at fixed numbers."""
    return _UNITS[operation](arguments)


def pre_activation(operation: str, arguments: Arguments) -> torch.Tensor:
    """What the regimes of an elementwise operation are read from, to be compared with its kinks."""
    source: torch.Tensor = arguments["self"]
    return source - arguments["other"] if operation in ("maximum", "minimum") else source
