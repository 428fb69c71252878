"""The data flow of networks that read token ids: activations of several operations, tokens in one axis."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from polylens import imports
from polylens.dataflow import Flow, Nonlinearity, capture, pause_watches, trace
from polylens.errors import UsageError

COMPOSITE = ("gelu_new", "gelu_fast", "quick_gelu", "gelu_python", "gelu_pytorch_tanh", "gelu_10")
FURTHER = ("gelu", "gelu_accurate", "silu", "mish", "relu2")


def activation(name: str) -> nn.Module:
    imports.transformers()
    from transformers.activations import ACT2FN

    found: nn.Module = ACT2FN[name]
    return found


class Blocks(nn.Module):
    """Embeds ids, then linear - activation - linear, on `examples tokens` or on both in one axis."""

    def __init__(self, unit: nn.Module, *, flatten: bool) -> None:
        super().__init__()
        self.embed, self.up, self.down = nn.Embedding(9, 4), nn.Linear(4, 6), nn.Linear(6, 4)
        self.unit = unit
        self.flatten = flatten

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        stream = self.embed(ids)
        hidden = stream.reshape(-1, 4) if self.flatten else stream
        return stream + self.down(self.unit(self.up(hidden))).view(stream.shape)


def blocks(unit: nn.Module, *, flatten: bool = False) -> Blocks:
    torch.manual_seed(4)
    return Blocks(unit, flatten=flatten).eval().requires_grad_(False)


def ids(examples: int, tokens: int) -> torch.Tensor:
    return torch.randint(0, 9, (examples, tokens), generator=torch.Generator().manual_seed(5))


def caught(network: nn.Module, flow: Flow, x: torch.Tensor, *layers: str) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        found[item if isinstance(item, str) else item.name] = tensor.clone()

    units = [item for item in flow.nonlinearities if item.name not in layers]
    capture(network, x, layers=layers, nonlinearities=units, take=take, shapes=flow.layers)
    return found


@pytest.mark.parametrize("name", [*COMPOSITE, *FURTHER])
def test_an_activation_of_several_operations_is_one_smooth_nonlinearity(name: str) -> None:
    network = blocks(activation(name))
    flow = trace(network, ids(1, 5))
    (unit,) = flow.nonlinearities
    assert (unit.name, unit.kinks, unit.piecewise_linear) == ("unit", (0.0,), False)
    assert flow.own("up") == flow.own("unit") == (unit,)
    assert flow.obstacles("up", "output") == ()
    x = ids(3, 5)
    found = caught(network, flow, x)["unit"]
    assert torch.equal(found, network.up(network.embed(x)))


@pytest.mark.parametrize("name", COMPOSITE)
def test_watching_leaves_what_an_activation_computes_alone(name: str) -> None:
    network, x = blocks(activation(name)), ids(3, 5)
    expected = network(x)
    flow = trace(network, ids(1, 5))
    assert torch.equal(caught(network, flow, x, "output")["output"], expected)
    assert torch.equal(network(x), expected)


@pytest.mark.parametrize("grad", ["no_grad", "inference_mode", "enable_grad"])
def test_an_activation_that_is_used_twice_is_met_twice(grad: str) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.unit = nn.Embedding(9, 4), activation("gelu_new")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            once: torch.Tensor = self.unit(self.embed(x))
            return self.unit(once * 2)

    network = Twice().requires_grad_(False)
    with getattr(torch, grad)():
        flow = trace(network, ids(1, 5))
        found = caught(network, flow, ids(2, 5))
        embedded = network.embed(ids(2, 5))
        assert torch.equal(found["unit"], embedded)
        assert torch.equal(found["unit#2"], network.unit(embedded) * 2)


@pytest.mark.parametrize("unit", ["relu", "gelu_new"])
@pytest.mark.parametrize(("examples", "tokens"), [(1, 5), (4, 5), (4, 3), (3, 1), (5, 1), (2, 9)])
def test_tokens_in_one_axis_with_examples_are_found_at_their_positions(
    unit: str, examples: int, tokens: int
) -> None:
    network, x = blocks(activation(unit), flatten=True), ids(examples, tokens)
    flow = trace(network, ids(1, 5))
    assert flow.layers["up"].grid == (5,)
    assert flow.layers["up"].flattened
    assert not flow.layers["output"].flattened
    assert [item.shape.grid for item in flow.own("up")] == [(5,)]
    found = caught(network, flow, x, "up", "down", "output")
    expected = network.up(network.embed(x))
    assert torch.equal(found["up"], expected)
    assert torch.equal(found["unit"], expected)
    assert found["down"].shape == (examples, tokens, 4)
    assert torch.equal(found["output"], network(x))


@pytest.mark.parametrize("tokens", [1, 4, 12])
def test_texts_may_be_longer_or_shorter_than_the_one_traced(tokens: int) -> None:
    network, x = blocks(nn.ReLU()), ids(2, tokens)
    flow = trace(network, ids(1, 5))
    assert torch.equal(caught(network, flow, x)["unit"], network.up(network.embed(x)))


def test_other_widths_than_traced_are_still_refused() -> None:
    network = nn.Sequential(nn.ReLU())
    flow = trace(network, torch.zeros(1, 5, 4))
    caught(network, flow, torch.zeros(2, 7, 4))
    with pytest.raises(UsageError, match="not when traced"):
        caught(network, flow, torch.zeros(2, 5, 3))


def test_numbers_are_no_tokens_and_their_first_axis_counts_examples() -> None:
    network = nn.Sequential(nn.Flatten(0, 1), nn.ReLU(), nn.Unflatten(0, (-1, 5)))
    flow = trace(network, torch.zeros(1, 5, 4))
    assert flow.nonlinearities == ()
    assert "does not count examples" in flow.unusable["1"]


def test_checks_of_inputs_can_be_kept_out_of_the_data_flow() -> None:
    class Checked(nn.Module):
        def __init__(self, *, seen: bool) -> None:
            super().__init__()
            self.inner, self.seen = nn.Linear(4, 3), seen

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.seen:
                assert bool((x < 1).all())
            else:
                with pause_watches():
                    assert bool((x < 1).all())
            out: torch.Tensor = self.inner(x)
            return out

    x = torch.zeros(1, 4)
    assert trace(Checked(seen=True), x).obstacles("input", "output") != ()
    assert trace(Checked(seen=False), x).obstacles("input", "output") == ()
