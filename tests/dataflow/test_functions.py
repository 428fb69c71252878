"""What units compute, held against the modules that compute it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from polylens import imports
from polylens.dataflow import Function, trace


def from_transformers(name: str) -> nn.Module:
    imports.transformers()
    from transformers.activations import get_activation

    module: nn.Module = get_activation(name)
    return module


GATED = {
    "gelu": nn.GELU(),
    "gelu tanh": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "hardswish": nn.Hardswish(),
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.2),
    **{
        f"transformers {name}": from_transformers(name)
        for name in (
            "gelu",
            "gelu_python",
            "gelu_new",
            "gelu_fast",
            "gelu_accurate",
            "gelu_pytorch_tanh",
            "gelu_python_tanh",
            "quick_gelu",
            "silu",
            "mish",
        )
    },
}
UNGATED = {
    "elu": nn.ELU(0.7),
    "celu": nn.CELU(1.3),
    "selu": nn.SELU(),
    "softplus": nn.Softplus(2.0, 5.0),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "logsigmoid": nn.LogSigmoid(),
    "relu6": nn.ReLU6(),
    "hardtanh": nn.Hardtanh(-0.5, 2.0),
    "hardsigmoid": nn.Hardsigmoid(),
    "hardshrink": nn.Hardshrink(0.4),
    "softshrink": nn.Softshrink(0.4),
    "threshold": nn.Threshold(0.5, -1.0),
    "relu2": from_transformers("relu2"),
}
UNKNOWN = {"clipped": from_transformers("gelu_10"), "prelu": nn.PReLU()}
INPUTS = st.lists(st.floats(-12, 12, width=32), min_size=1, max_size=20)


def function_of(module: nn.Module) -> Function | None:
    (unit,) = trace(nn.Sequential(nn.Linear(2, 2), module).eval(), torch.ones(1, 2)).nonlinearities
    return unit.function


@pytest.fixture(scope="module")
def functions() -> dict[str, Function | None]:
    return {name: function_of(module) for name, module in (GATED | UNGATED | UNKNOWN).items()}


@settings(max_examples=20, deadline=None)
@given(z=INPUTS)
def test_values_slopes_and_gates_are_those_of_the_modules(
    functions: dict[str, Function | None], z: list[float]
) -> None:
    for name, module in (GATED | UNGATED).items():
        function = functions[name]
        assert function is not None
        assert function.has_gate == (name in GATED)
        inputs = torch.tensor(z, dtype=torch.float64, requires_grad=True)
        outputs = module(inputs)
        (slopes,) = torch.autograd.grad(outputs.sum(), inputs)
        found = inputs.detach()
        torch.testing.assert_close(function.value(found), outputs.detach(), rtol=1e-9, atol=1e-9, msg=name)
        torch.testing.assert_close(function.slope(found), slopes, rtol=1e-7, atol=1e-7, msg=name)
        if name in GATED:
            gates = outputs.detach() / found
            away = found.abs() > 1e-12
            torch.testing.assert_close(
                function.gate(found)[away], gates[away], rtol=1e-7, atol=1e-7, msg=name
            )
            assert bool(function.gate(torch.tensor(50.0)) == 1)


def test_functions_without_a_formula_are_said_to_be_unknown(functions: dict[str, Function | None]) -> None:
    assert [functions[name] for name in UNKNOWN] == [None, None]


def test_half_precision_is_computed_in_32_bits() -> None:
    z = torch.tensor([0.3], dtype=torch.bfloat16)
    assert Function("gelu").gate(z).dtype == torch.float32
    assert torch.equal(Function("gelu").gate(z), Function("gelu").gate(z.float()))


class Gated(nn.Module):
    """A gated layer: silu(a(x)) * b(x); `parts` of one layer where `whole` is false."""

    def __init__(self, *, whole: bool) -> None:
        super().__init__()
        self.whole = whole
        self.gate, self.up, self.both = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(3, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up = (self.gate(x), self.up(x)) if self.whole else self.both(x).chunk(2, dim=-1)
        return nn.functional.silu(gate) * up


@pytest.mark.parametrize("whole", [True, False])
def test_gates_are_known_with_the_layer_that_they_multiply(whole: bool) -> None:
    flow = trace(Gated(whole=whole).eval(), torch.ones(1, 5, 3))
    (unit,) = flow.nonlinearities
    assert flow.gates(unit)
    assert flow.factor(unit) == ("up" if whole else None)


def test_units_that_multiply_nothing_are_no_gates() -> None:
    flow = trace(nn.Sequential(nn.Linear(3, 4), nn.SiLU(), nn.Linear(4, 2)).eval(), torch.ones(1, 3))
    assert not flow.gates(flow.nonlinearities[0])
    assert flow.factor(flow.nonlinearities[0]) is None
