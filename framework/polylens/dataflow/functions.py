"""What elementwise units compute: their values, their slopes, and their gates where they have one.

Formulas are those of PyTorch, written out in 32 bits at least: a slope or a gate in half precision would be
mostly rounding. Source: PyTorch's documentation of each function; `Function` names the papers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float

Values = Float[torch.Tensor, "*shape"]
_Formula = Callable[..., torch.Tensor]

_ROOT_2_OVER_PI = math.sqrt(2 / math.pi)
_CUBIC = 0.044715
_QUICK = 1.702


@dataclass(frozen=True)
class Function:
    """An elementwise function, by name and parameters.

    A unit is gated where its value is `z * gate(z)`, with a gate that goes from 0 far below zero to 1 far
    above: a step for ReLU, a soft step for GELU and SiLU.

    Source: Balestriero and Baraniuk 2018 (arXiv 1810.09274), "From Hard to Soft"; Hendrycks and Gimpel 2016
        (arXiv 1606.08415) for GELU.

    >>> Function("silu").gate(torch.zeros(1)).item()
    0.5
    >>> Function("relu").gate(torch.tensor([-1.0, 2.0])).tolist()
    [0.0, 1.0]
    """

    name: str
    parameters: tuple[float, ...] = ()

    @property
    def has_gate(self) -> bool:
        """Whether its value is its input times a gate."""
        return _FUNCTIONS[self.name].gate is not None

    @property
    def rectifies(self) -> bool:
        """Whether it is near `max(z, 0)` far from zero, so that a ReLU is its hard form."""
        return _FUNCTIONS[self.name].rectifies

    def value(self, values: Values) -> Values:
        """The function's value at each of `values`, in 32 bits at least."""
        return self._of(_FUNCTIONS[self.name].value, values)

    def slope(self, values: Values) -> Values:
        """The function's derivative at each of `values`, in 32 bits at least; at a kink, that of one side."""
        return self._of(_FUNCTIONS[self.name].slope, values)

    def gate(self, values: Values) -> Values:
        """What each of `values` is multiplied by, in 32 bits at least.

        Raises:
            ValueError: the function has no gate; ask `has_gate`.
        """
        gate = _FUNCTIONS[self.name].gate
        if gate is None:
            raise ValueError(f"{self.name} has no gate")
        return self._of(gate, values)

    def _of(self, formula: _Formula, values: torch.Tensor) -> torch.Tensor:
        wide = values.to(torch.promote_types(values.dtype, torch.float32))
        return formula(wide, *self.parameters)


GATED_FUNCTIONS = ("gelu (exact and tanh)", "silu", "quick_gelu", "mish", "hardswish", "relu", "leaky_relu")
"""The functions with a gate, as people know them."""


def function_of(operation: str, arguments: Mapping[str, Any]) -> Function | None:
    """The function that a call of an elementwise operation computes; None where it has no formula here.

    None stands for functions whose parameters are tensors, and for those of two varying inputs.

    Args:
        operation: canonical name.
        arguments: by name.
    """
    if operation == "gelu":
        return Function("gelu_tanh" if arguments.get("approximate") == "tanh" else "gelu")
    if operation in ("clamp", "clamp_min", "clamp_max", "hardtanh"):
        return _between(arguments)
    if operation == "threshold":
        at = _numbers(arguments, "threshold", "value")
        return Function("relu") if at == (0.0, 0.0) else _with(operation, at)
    if operation == "rrelu_with_noise":
        bounds = _numbers(arguments, "lower", "upper")
        return None if bounds is None else Function("leaky_relu", (sum(bounds) / 2,))
    names = _PARAMETERS.get(operation)
    if names is not None:
        return _with(operation, _numbers(arguments, *names))
    return Function(operation) if operation in _FUNCTIONS else None


_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "leaky_relu": ("negative_slope",),
    "elu": ("alpha", "scale", "input_scale"),
    "celu": ("alpha",),
    "softplus": ("beta", "threshold"),
    "hardshrink": ("lambd",),
    "softshrink": ("lambd",),
}


def _between(arguments: Mapping[str, Any]) -> Function | None:
    names = ("min_val", "max_val") if "min_val" in arguments else ("min", "max")
    ends = [arguments.get(name) for name in names]
    if any(isinstance(end, torch.Tensor) for end in ends):
        return None
    low, high = (
        float(far if end is None else end) for end, far in zip(ends, (-math.inf, math.inf), strict=True)
    )
    if (low, high) == (0.0, math.inf):
        return Function("relu")
    return Function("clamp", (low, high))


def _numbers(arguments: Mapping[str, Any], *names: str) -> tuple[float, ...] | None:
    values = [arguments[name] for name in names]
    if any(isinstance(value, torch.Tensor) for value in values):
        return None
    return tuple(float(value) for value in values)


def _with(name: str, parameters: tuple[float, ...] | None) -> Function | None:
    return None if parameters is None else Function(name, parameters)


@dataclass(frozen=True)
class _Formulas:
    value: _Formula
    slope: _Formula
    gate: _Formula | None = None
    rectifies: bool = False


def _gate_formulas(gate: _Formula, slope: _Formula, value: _Formula) -> _Formulas:
    return _Formulas(value, slope, gate, rectifies=True)


def _phi(z: torch.Tensor) -> torch.Tensor:
    below: torch.Tensor = torch.special.ndtr(z)
    return below


def _gelu_slope(z: torch.Tensor) -> torch.Tensor:
    return _phi(z) + z * torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _tanh_argument(z: torch.Tensor) -> torch.Tensor:
    return _ROOT_2_OVER_PI * (z + _CUBIC * z * z * z)


def _gelu_tanh_gate(z: torch.Tensor) -> torch.Tensor:
    # (1 + tanh(u)) / 2, which cancels far below zero.
    return torch.sigmoid(2 * _tanh_argument(z))


def _gelu_tanh_slope(z: torch.Tensor) -> torch.Tensor:
    gate = _gelu_tanh_gate(z)
    inner = _ROOT_2_OVER_PI * (1 + 3 * _CUBIC * z * z)
    return gate + z * 2 * gate * torch.sigmoid(-2 * _tanh_argument(z)) * inner


def _swish_slope(z: torch.Tensor, beta: float = 1.0) -> torch.Tensor:
    return torch.sigmoid(beta * z) * (1 + beta * z * torch.sigmoid(-beta * z))


def _mish_gate(z: torch.Tensor) -> torch.Tensor:
    return torch.tanh(torch.nn.functional.softplus(z))


def _mish_slope(z: torch.Tensor) -> torch.Tensor:
    gate = _mish_gate(z)
    return gate + z * (1 - gate * gate) * torch.sigmoid(z)


def _hardswish_slope(z: torch.Tensor) -> torch.Tensor:
    return torch.where(z <= -3, 0.0, torch.where(z >= 3, 1.0, z / 3 + 0.5))


def _step(z: torch.Tensor) -> torch.Tensor:
    return (z > 0).to(z.dtype)


def _leaky_step(z: torch.Tensor, slope: float) -> torch.Tensor:
    return torch.where(z > 0, torch.ones_like(z), slope)


def _elu_value(z: torch.Tensor, alpha: float, scale: float, input_scale: float) -> torch.Tensor:
    return torch.where(z > 0, scale * z, alpha * scale * torch.expm1(input_scale * z.clamp(max=0)))


def _elu_slope(z: torch.Tensor, alpha: float, scale: float, input_scale: float) -> torch.Tensor:
    below = alpha * scale * input_scale * torch.exp(input_scale * z.clamp(max=0))
    return torch.where(z > 0, torch.full_like(z, scale), below)


_SELU = (1.6732632423543772, 1.0507009873554805, 1.0)
"""Alpha and scale, as PyTorch has them."""


def _softplus_value(z: torch.Tensor, beta: float, threshold: float) -> torch.Tensor:
    return torch.nn.functional.softplus(z, beta, threshold)


def _softplus_slope(z: torch.Tensor, beta: float, threshold: float) -> torch.Tensor:
    return torch.where(beta * z > threshold, torch.ones_like(z), torch.sigmoid(beta * z))


def _clamp_slope(z: torch.Tensor, low: float, high: float) -> torch.Tensor:
    return ((z > low) & (z < high)).to(z.dtype)


def _outside(z: torch.Tensor, bound: float) -> torch.Tensor:
    return (z.abs() > bound).to(z.dtype)


_FUNCTIONS: Mapping[str, _Formulas] = {
    "gelu": _gate_formulas(_phi, _gelu_slope, torch.nn.functional.gelu),
    "gelu_tanh": _gate_formulas(
        _gelu_tanh_gate, _gelu_tanh_slope, lambda z: torch.nn.functional.gelu(z, approximate="tanh")
    ),
    "quick_gelu": _gate_formulas(
        lambda z: torch.sigmoid(_QUICK * z),
        lambda z: _swish_slope(z, _QUICK),
        lambda z: z * torch.sigmoid(_QUICK * z),
    ),
    "silu": _gate_formulas(torch.sigmoid, _swish_slope, torch.nn.functional.silu),
    "mish": _gate_formulas(_mish_gate, _mish_slope, torch.nn.functional.mish),
    "hardswish": _gate_formulas(
        torch.nn.functional.hardsigmoid, _hardswish_slope, torch.nn.functional.hardswish
    ),
    "relu": _gate_formulas(_step, _step, torch.relu),
    "leaky_relu": _gate_formulas(_leaky_step, _leaky_step, torch.nn.functional.leaky_relu),
    "elu": _Formulas(_elu_value, _elu_slope, rectifies=True),
    "selu": _Formulas(lambda z: _elu_value(z, *_SELU), lambda z: _elu_slope(z, *_SELU)),
    "celu": _Formulas(
        lambda z, alpha: _elu_value(z, alpha, 1.0, 1 / alpha),
        lambda z, alpha: _elu_slope(z, alpha, 1.0, 1 / alpha),
        rectifies=True,
    ),
    "softplus": _Formulas(_softplus_value, _softplus_slope, rectifies=True),
    "sigmoid": _Formulas(torch.sigmoid, lambda z: torch.sigmoid(z) * torch.sigmoid(-z)),
    "tanh": _Formulas(torch.tanh, lambda z: 1 - torch.tanh(z).square()),
    "log_sigmoid_forward": _Formulas(torch.nn.functional.logsigmoid, lambda z: torch.sigmoid(-z)),
    "relu_squared": _Formulas(lambda z: torch.relu(z).square(), lambda z: 2 * torch.relu(z)),
    "abs": _Formulas(torch.abs, torch.sign),
    "clamp": _Formulas(lambda z, low, high: z.clamp(low, high), _clamp_slope),
    "threshold": _Formulas(
        lambda z, at, value: torch.where(z > at, z, value), lambda z, at, value: (z > at).to(z.dtype)
    ),
    "hardsigmoid": _Formulas(torch.nn.functional.hardsigmoid, lambda z: _clamp_slope(z, -3.0, 3.0) / 6),
    "hardshrink": _Formulas(torch.nn.functional.hardshrink, _outside),
    "softshrink": _Formulas(torch.nn.functional.softshrink, _outside),
}
