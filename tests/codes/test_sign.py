from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from polylens.bits import pack
from polylens.codes.sign import Sign
from polylens.dataflow import LayerShape, Nonlinearity, Site, capture, trace
from polylens.errors import UsageError


def everywhere(**fields: object) -> Sign:
    return Sign.model_validate({"units": "downstream", "positions": "all", "pools": True, **fields})


def dense(*widths: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for n, m in pairwise(widths):
        parts += [nn.Linear(n, m), nn.ReLU()]
    return nn.Sequential(*parts[:-1]).eval().requires_grad_(False)


class Convolutional(nn.Module):
    """A residual block with max-pooling in front of it and a dense head."""

    def __init__(self, *, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.stem, self.mix = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.hidden, self.head = nn.Linear(12, 6), nn.Linear(6, 2)
        self.eval().requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(functional.leaky_relu(self.stem(x), 0.2))
        x = functional.relu6(self.mix(x) + x)
        return self.head(functional.relu(self.hidden(x.flatten(1))))


def codes_of(code: Sign, module: nn.Module, layer: str, x: torch.Tensor) -> torch.Tensor:
    """The code of whole examples, as bits."""
    selection = code.select(trace(module, x), layer)
    parts: dict[Nonlinearity, torch.Tensor] = {}

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        assert isinstance(item, Nonlinearity)
        parts[item] = code.encode(item, tensor.flatten(1))

    capture(module, x, layers=(), nonlinearities=selection.nonlinearities, take=take)
    for item, layer_of_code in zip(selection.nonlinearities, selection.scheme.layers, strict=True):
        assert parts[item].shape == (len(x), layer_of_code.bits)
        assert parts[item].dtype == torch.bool
    return torch.cat([parts[item] for item in selection.nonlinearities], dim=1)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_codes_of_dense_networks_are_the_signs_of_a_plain_forward_pass(seed: int, widths: list[int]) -> None:
    torch.manual_seed(seed)
    module, x = dense(*widths, 3), torch.randn(7, widths[0])
    expected, values = [], x
    for part in module:
        if isinstance(part, nn.ReLU):
            expected.append(values > 0)
        values = part(values)
    assert torch.equal(codes_of(everywhere(), module, "input", x), torch.cat(expected, dim=1))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_codes_of_convolutional_networks_are_those_written_out_by_hand(seed: int) -> None:
    module = Convolutional(seed=seed)
    x = torch.randn(3, 1, 4, 4)
    z1 = module.stem(x)
    windows = functional.unfold(functional.leaky_relu(z1, 0.2).flatten(0, 1)[:, None], 2, stride=2)
    winner = functional.one_hot(windows.argmax(1), 4).bool().reshape(3, 3 * 4 * 4)
    pooled = functional.leaky_relu(z1, 0.2).reshape(3, 3, 2, 2, 2, 2).amax((3, 5))
    z2 = module.mix(pooled) + pooled
    z3 = module.hidden(z2.clamp(0, 6).flatten(1))
    both = torch.stack([z2 > 0, z2 > 6], dim=-1).flatten(1)
    expected = torch.cat([(z1 > 0).flatten(1), winner, both, z3 > 0], dim=1)
    assert torch.equal(codes_of(everywhere(), module, "input", x), expected)


def test_units_with_two_kinks_give_thermometer_bits() -> None:
    shape = LayerShape.of((2,))
    item = Nonlinearity("6", "hardtanh", "units", True, (0.0, 6.0), shape, 1, Site("6", "hardtanh", 1))
    bits = everywhere().encode(item, torch.tensor([[-1.0, 3.0], [7.0, 6.0]]))
    assert bits.int().tolist() == [[0, 0, 1, 0], [1, 1, 1, 0]]


def test_winners_are_one_hot_in_their_windows() -> None:
    item = Nonlinearity(
        "p", "max_pool1d", "pool", True, (), LayerShape.of((2,)), 3, Site("p", "max_pool1d", 1)
    )
    bits = everywhere().encode(item, torch.tensor([[2, 0]]))
    assert bits.int().tolist() == [[0, 0, 1, 1, 0, 0]]


def jacobians_by_code(code: Sign, seed: int) -> dict[bytes, list[torch.Tensor]]:
    # In double precision: equal maps then differ by 1e-15, whatever order a processor adds in.
    module = Convolutional(seed=seed).double()
    generator = torch.Generator().manual_seed(seed)
    centre = torch.randn(1, 1, 4, 4, generator=generator, dtype=torch.float64)
    x = centre + 0.05 * torch.randn(200, 1, 4, 4, generator=generator, dtype=torch.float64)
    packed = pack(codes_of(code, module, "input", x)).numpy()
    leaf = x.clone().requires_grad_()
    outputs = module(leaf)
    # Examples do not mix, so the gradient of an output's sum over examples holds each example's own.
    slopes = [torch.autograd.grad(outputs[:, i].sum(), leaf, retain_graph=True)[0] for i in range(2)]
    jacobians = torch.stack(slopes, dim=1)
    groups: dict[bytes, list[torch.Tensor]] = defaultdict(list)
    for row, jacobian in zip(packed, jacobians, strict=True):
        groups[row.tobytes()].append(jacobian)
    return {key: found for key, found in groups.items() if len(found) > 1}


def test_equal_codes_that_name_polytopes_have_equal_jacobians_and_without_winners_they_do_not() -> None:
    with_winners, without = everywhere(), everywhere(pools=False)
    flow = trace(Convolutional(seed=0), torch.zeros(1, 1, 4, 4))
    assert with_winners.select(flow, "input").scheme.names_polytopes
    assert not without.select(flow, "input").scheme.names_polytopes
    equal, unequal = 0, 0
    for seed in range(3):
        for found in jacobians_by_code(with_winners, seed).values():
            for other in found[1:]:
                torch.testing.assert_close(other, found[0], rtol=0, atol=1e-12)
                equal += 1
        for found in jacobians_by_code(without, seed).values():
            unequal += sum(not torch.allclose(other, found[0], rtol=1e-3) for other in found[1:])
    assert equal > 20
    assert unequal > 5


IMAGE = torch.zeros(1, 1, 4, 4)


def verdict(code: Sign, module: nn.Module, layer: str, example: torch.Tensor) -> tuple[bool, str]:
    scheme = code.select(trace(module, example), layer).scheme
    return scheme.names_polytopes, scheme.reason


def test_only_codes_of_everything_downstream_name_polytopes() -> None:
    module = Convolutional(seed=0)
    assert verdict(everywhere(), module, "input", IMAGE) == (
        True,
        "polytope code: it reads every nonlinearity between 'input' and 'output' at all positions, winners "
        "of max-pooling included, and all of them are piecewise linear",
    )
    named, reason = verdict(everywhere(pools=False), module, "input", IMAGE)
    assert not named
    assert "the winners of max_pool2d at 'pool' are not in it (pools: true)" in reason


def test_own_units_are_a_cell_of_the_space_before_the_layer() -> None:
    for layer in ("0", "1"):
        named, reason = verdict(Sign(units="own", positions="all"), dense(3, 4, 2), layer, torch.zeros(1, 3))
        assert not named
        assert f"the units of '{layer}' itself names a cell of the space before the layer" in reason


def test_next_names_polytopes_only_where_nothing_else_follows() -> None:
    module, x = dense(3, 4, 5, 2), torch.zeros(1, 3)
    assert verdict(everywhere(units="next"), module, "1", x)[0]
    named, reason = verdict(everywhere(units="next"), module, "input", x)
    assert not named
    assert "the units '3' between 'input' and 'output' are not in it" in reason


def test_through_ends_the_map_that_the_polytopes_are_of() -> None:
    module, x = dense(3, 4, 5, 2), torch.zeros(1, 3)
    code = everywhere(through="1")
    assert [layer.name for layer in code.select(trace(module, x), "input").scheme.layers] == ["1"]
    named, reason = verdict(code, module, "input", x)
    assert named
    assert "between 'input' and '1'" in reason
    assert code.later_layers() == ("1",)
    assert everywhere().later_layers() == ()


def test_a_pre_activation_layers_own_units_are_missing_from_downstream_and_the_reason_says_so() -> None:
    module, x = dense(3, 4, 5, 2), torch.zeros(1, 3)
    assert [layer.name for layer in everywhere().select(trace(module, x), "0").scheme.layers] == ["3"]
    named, reason = verdict(everywhere(), module, "0", x)
    assert not named
    assert "the layer's own units '1' come after it and are not in the code" in reason


@pytest.mark.parametrize(
    ("layer", "why"), [("input", "positions: all the same bits"), ("conv", "one position")]
)
def test_codes_of_the_same_position_name_no_polytopes(layer: str, why: str) -> None:
    if layer == "input":
        named, reason = verdict(everywhere(positions="same"), dense(3, 4, 2), "input", torch.zeros(1, 3))
    else:
        module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 1), nn.ReLU())
        named, reason = verdict(everywhere(positions="same"), module, "1", IMAGE)
    assert not named
    assert why in reason


def test_smooth_units_obstacles_and_skips_past_the_layer_name_no_polytopes() -> None:
    x = torch.zeros(1, 3)
    smooth = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2))
    assert "gelu at '1' is smooth" in verdict(everywhere(), smooth, "input", x)[1]
    gated = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Softmax(1), nn.Linear(4, 2))
    assert "softmax in '2' is not piecewise linear" in verdict(everywhere(), gated, "input", x)[1]

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.branch = nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.relu(x + self.branch(x)) * 2

    named, reason = verdict(everywhere(), Residual(), "branch", x)
    assert not named
    assert "'output' also depends on the input by ways that do not pass 'branch'" in reason
    assert verdict(everywhere(), Residual(), "input", x)[0]


def test_later_units_on_another_grid_are_refused_and_positions_all_is_proposed() -> None:
    flow = trace(Convolutional(seed=0), IMAGE)
    with pytest.raises(UsageError) as caught:
        Sign(units="downstream", positions="same").select(flow, "input")
    assert "'network:hardtanh' (2 x 2 positions), 'network:relu' (no positions)" in str(caught.value)
    assert "positions: all" in str(caught.value)


def test_units_of_the_same_grid_are_read_at_the_rows_own_position() -> None:
    flow = trace(Convolutional(seed=0), IMAGE)
    scheme = Sign(units="next", positions="same").select(flow, "input").scheme
    assert [(layer.name, layer.units) for layer in scheme.layers] == [("network:leaky_relu", 3)]


@pytest.mark.parametrize(
    ("code", "layer", "message"),
    [
        (Sign(units="own", positions="all"), "head", "layer 'head' has no units of its own"),
        (Sign(units="own", positions="all"), "pool", "add pools: true"),
        (everywhere(through="stem"), "pool", "'stem' does not come after 'pool'"),
        (everywhere(through="haed"), "pool", "did you mean 'head'?"),
        (everywhere(), "hiden", "did you mean 'hidden'?"),
        (everywhere(through="mix"), "pool", "no units stand between layer 'pool' and 'mix'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(code: Sign, layer: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        code.select(trace(Convolutional(seed=0), IMAGE), layer)
    assert message in str(caught.value)


def test_through_belongs_to_downstream() -> None:
    with pytest.raises(ValidationError, match="'through' is for units: downstream, not for units: own"):
        Sign.model_validate({"kind": "sign", "units": "own", "through": "3", "positions": "same"})


@pytest.mark.parametrize("missing", ["units", "positions"])
def test_units_and_positions_have_no_default(missing: str) -> None:
    fields = {"kind": "sign", "units": "own", "positions": "same"}
    del fields[missing]
    with pytest.raises(ValidationError, match="Field required"):
        Sign.model_validate(fields)
