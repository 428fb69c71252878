"""Graded codes: the gate or slope of each unit's own function, and what is said of units that have none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from polylens.codes import Code
from polylens.codes.gate import Gate
from polylens.codes.sign import Sign
from polylens.dataflow import capture, trace
from polylens.errors import DataError, UsageError
from polylens.records import CodeLayer, Codes, CodeScheme

OWN = Gate(of="gate", units="own", positions="same")
SLOPE = Gate(of="slope", units="own", positions="same")


def network(*activations: nn.Module) -> nn.Sequential:
    parts: list[nn.Module] = [nn.Linear(3, 4)]
    for activation in activations:
        parts += [activation, nn.Linear(4, 4)]
    return nn.Sequential(*parts).eval().requires_grad_(False)


class Gated(nn.Module):
    """A gated layer, as Llama has it: silu(gate(x)) * up(x)."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.act, self.down = nn.Linear(3, 4), nn.Linear(3, 4), nn.SiLU(), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(self.act(self.gate(x)) * self.up(x))


def encoded(code: Gate, module: nn.Module, layer: str, x: torch.Tensor) -> torch.Tensor:
    found: list[torch.Tensor] = []
    selection = code.select(trace(module, x), layer)
    capture(
        module,
        x,
        layers=(),
        nonlinearities=selection.nonlinearities,
        take=lambda item, tensor: found.append(code.encode(item, tensor.flatten(0, -2))),
    )
    return torch.cat(found, dim=1)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_gates_are_those_of_the_function_that_the_network_has(seed: int) -> None:
    torch.manual_seed(seed)
    x = torch.randn(5, 3)
    for activation, gate in (
        (nn.GELU(), torch.special.ndtr),
        (nn.GELU(approximate="tanh"), lambda z: functional.gelu(z, approximate="tanh") / z),
        (nn.SiLU(), torch.sigmoid),
        (nn.ReLU(), lambda z: (z > 0).float()),
    ):
        module = network(activation)
        z = module[0](x)
        torch.testing.assert_close(encoded(OWN, module, "1", x), gate(z), rtol=1e-5, atol=1e-6)
        inputs = z.clone().requires_grad_(True)
        (slopes,) = torch.autograd.grad(activation(inputs).sum(), inputs)
        torch.testing.assert_close(encoded(SLOPE, module, "1", x), slopes, rtol=1e-5, atol=1e-6)


def test_exact_gelu_and_its_tanh_form_are_told_apart() -> None:
    x = torch.full((1, 3), 1.0)
    exact, tanh = network(nn.GELU()), network(nn.GELU(approximate="tanh"))
    tanh.load_state_dict(exact.state_dict())
    assert not torch.equal(encoded(OWN, exact, "1", x), encoded(OWN, tanh, "1", x))


def test_a_graded_code_is_numbers_compared_by_l1_and_never_names_polytopes() -> None:
    everywhere = Gate(of="gate", units="downstream", positions="all")
    scheme = everywhere.select(trace(network(nn.ReLU(), nn.GELU()), torch.ones(1, 3)), "input").scheme
    assert (scheme.metric, scheme.is_graded, scheme.is_proxy) == ("l1", True, True)
    assert (scheme.units, scheme.bits, scheme.width, scheme.n_bytes) == (8, 0, 8, 32)
    assert [layer.kind for layer in scheme.layers] == ["gate", "gate"]
    assert not scheme.names_polytopes
    assert "does not name polytopes, because gates change gradually" in scheme.reason
    piecewise = everywhere.select(trace(network(nn.ReLU()), torch.ones(1, 3)), "input").scheme
    assert not piecewise.names_polytopes
    assert not piecewise.is_proxy


@pytest.mark.parametrize("code", [OWN, Sign(units="own", positions="same")])
def test_gated_units_say_so_and_name_no_polytopes(code: Code) -> None:
    selection = code.select(trace(Gated().eval(), torch.ones(1, 5, 3)), "act")
    assert selection.factors == {"act": "up"}
    assert not selection.scheme.names_polytopes
    assert "does not name polytopes, because" in selection.scheme.reason
    assert "the units of 'act' are gates, which multiply 'up', and products are not affine" in (
        selection.scheme.reason
    )


def test_a_proxy_says_that_it_is_one() -> None:
    scheme = (
        Sign(units="own", positions="same").select(trace(network(nn.GELU()), torch.ones(1, 3)), "1").scheme
    )
    assert "because gelu at '1' is smooth: the sign of its input is a proxy" in scheme.reason
    assert "names a cell of the space before the layer" in scheme.reason
    assert scheme.is_proxy


@pytest.mark.parametrize(
    ("activation", "code", "message", "hint"),
    [
        (nn.Tanh(), OWN, "tanh at '1' has no gate", "use of: slope; these have a gate: gelu"),
        (nn.ReLU6(), OWN, "hardtanh at '1' has no gate", "silu"),
        (nn.PReLU(), OWN, "gate of prelu at '1' is not known", "kind sign"),
        (nn.PReLU(4), SLOPE, "slope of prelu at '1' is not known", "kind sign"),
    ],
)
def test_functions_without_a_gate_are_refused_with_those_that_have_one(
    activation: nn.Module, code: Gate, message: str, hint: str
) -> None:
    flow = trace(network(activation), torch.ones(1, 3))
    with pytest.raises(UsageError, match=message) as error:
        code.select(flow, "1")
    assert hint in (error.value.hint or "")


def test_through_is_for_downstream() -> None:
    with pytest.raises(ValidationError, match="'through' is for units: downstream"):
        Gate(of="gate", units="own", positions="same", through="3")
    assert Gate(of="gate", units="downstream", positions="all", through="3").later_layers() == ("3",)


def test_bits_and_numbers_are_not_mistaken_for_each_other() -> None:
    graded = CodeScheme((CodeLayer("a", 2, 0, "gate"),), names_polytopes=False, reason="", metric="l1")
    codes = Codes(np.zeros((1, 2), np.float32), graded)
    assert codes.graded.shape == (1, 2)
    with pytest.raises(DataError, match="bits of a hard code"):
        _ = codes.packed
    hard = CodeScheme((CodeLayer("a", 2),), names_polytopes=False, reason="")
    with pytest.raises(DataError, match="needs a graded code"):
        _ = Codes(np.zeros((1, 1), np.uint8), hard).graded
