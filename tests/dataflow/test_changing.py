from __future__ import annotations

import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from tests.text_models import tiny_config
from torch import nn

from polylens.dataflow import Changing, Passes, capture, norms, trace, without_biases
from polylens.errors import UsageError
from polylens.geometry import record, regimes
from polylens.models.transformers.networks import build

LAYERS = {"dense": "1", "convolutional": "2", "residual": "pool", "tokens": "up"}


def transformer(architecture: str) -> nn.Module:
    module = build(tiny_config(architecture), attention="sdpa", generator=torch.Generator().manual_seed(0))
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(1))
    return module.double()


def changing_of(module: nn.Module, example: torch.Tensor, layer: str) -> Changing:
    flow = trace(module, example)
    return Changing(module, flow, layer, nonlinearities=flow.between(layer, "output"))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("at", ["input", "inside"])
def test_a_replaced_tensor_gives_what_the_tape_gives(name: str, at: str) -> None:
    module, shape = network(name, seed=3)
    inputs = torch.randn(2, *shape, dtype=torch.float64)
    layer = "input" if at == "input" else LAYERS[name]
    flow = trace(module, inputs)
    try:
        part = record(module, inputs[:1]).part(layer)
    except UsageError:
        assert name == "tokens"  # its residual sum passes the layer by
        return
    points = torch.randn(3, *part.shape, dtype=torch.float64)
    changing = Changing(module, flow, layer, nonlinearities=part.nonlinearities)
    passed = changing.run(
        inputs, Passes(torch.tensor([0, 1, 1])), lambda values: points.reshape(values.shape)
    )
    codes, output = regimes(part, points)
    torch.testing.assert_close(passed.output, output, rtol=0, atol=1e-12)
    for item, code in zip(part.nonlinearities, codes, strict=True):
        read = passed.read[item.name]
        found = read if item.role == "pool" else sum((read > kink).long() for kink in item.kinks)
        assert (found.numpy() == code).mean() > 0.99  # windows of equal zeros have any winner


@pytest.mark.parametrize("name", NETWORKS)
def test_passes_that_change_nothing_are_the_networks_own(name: str) -> None:
    module, shape = network(name, seed=1)
    inputs = torch.randn(3, *shape, dtype=torch.float64)
    passed = changing_of(module, inputs, LAYERS[name]).run(
        inputs, Passes(torch.tensor([2, 0, 1, 1])), lambda values: values
    )
    torch.testing.assert_close(passed.output, module(inputs)[[2, 0, 1, 1]], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "layer"), [("residual", "relu"), ("convolutional", "2")])
def test_one_position_is_changed_and_no_other(name: str, layer: str) -> None:
    module, shape = network(name, seed=0)
    inputs = torch.randn(2, *shape, dtype=torch.float64)
    changing = Changing(module, trace(module, inputs), layer, layers=[layer])
    position = torch.tensor([5, 8, 40])
    passed = changing.run(inputs, Passes(torch.tensor([0, 1, 1]), position), lambda values: values * 0 + 7)
    seen: list[torch.Tensor] = []
    with torch.no_grad():
        capture(module, inputs, layers=[layer], nonlinearities=[], take=lambda _, it: seen.append(it.clone()))
    expected = seen[0][[0, 1, 1]].flatten(2)
    expected[torch.arange(3), :, position] = 7
    torch.testing.assert_close(passed.layers[layer], expected.flatten(1), rtol=0, atol=1e-12)
    # The residual network reads its number of examples off its input, so it is run on one a pass.
    assert changing._fans_out == {True: name == "convolutional"}


def test_examples_are_computed_once_up_to_the_layer() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    counted: list[int] = []
    module[0].register_forward_hook(lambda part, args, output: counted.append(len(output)))
    changing = changing_of(module, torch.zeros(1, 3), "1")
    counted.clear()
    inputs, passes = torch.randn(2, 3), Passes(torch.tensor([0, 1] * 10))
    changing.run(inputs, passes, lambda values: values)
    changing.run(inputs, passes, lambda values: values)
    # The first call tries both ways on four passes.
    assert counted == [4, 2, 2, 2]


class Sidestep(nn.Module):
    """Takes its number of examples from its input, and passes by its inner layer."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(2, 2), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, str]:
        return self.outer(torch.cat([x, self.inner(x)], dim=1)), "words"


def test_where_examples_are_needed_again_they_are_computed_again() -> None:
    module = Sidestep().double().eval()
    inputs = torch.randn(2, 2, dtype=torch.float64)
    changing = changing_of(module, inputs, "inner")
    passed = changing.run(inputs, Passes(torch.tensor([1, 0, 1])), lambda values: values * 0)
    hidden = torch.cat([inputs, torch.zeros(2, 2, dtype=torch.float64)], dim=1)[[1, 0, 1]]
    torch.testing.assert_close(passed.output, module.outer(hidden))
    assert changing._fans_out == {True: False}


@pytest.mark.parametrize("architecture", ["gpt2", "bert", "llama", "opt"])
def test_a_token_of_a_transformer_is_changed_and_its_own_output_read(architecture: str) -> None:
    module = transformer(architecture)
    ids = torch.arange(9)[None] + 20
    flow = trace(module, ids)
    path = next(name for name in flow.layers if name.endswith((".0", ".0.mlp", "layer.0.output")))
    changing = Changing(module, flow, path, nonlinearities=flow.between(path, "output"))
    token = torch.tensor([2, 7, 7])
    same = changing.run(ids, Passes(torch.zeros(3, dtype=torch.int64), token, token), lambda values: values)
    with torch.no_grad():
        output = module(ids)
        own = next(iter(output.values()))[0, token]
    torch.testing.assert_close(same.output, own, rtol=0, atol=1e-10)

    other = changing.run(
        ids, Passes(torch.zeros(3, dtype=torch.int64), token, token), lambda values: values * 3 + 1
    )

    def replaced(part, args, output):
        found = output if isinstance(output, torch.Tensor) else output[0]
        found = found.clone()
        found[0, 7] = found[0, 7] * 3 + 1
        return found if isinstance(output, torch.Tensor) else (found, *output[1:])

    handle = module.get_submodule(path).register_forward_hook(replaced)
    with torch.no_grad():
        expected = next(iter(module(ids).values()))[0, 7]
    handle.remove()
    torch.testing.assert_close(other.output[1], expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(other.output[2], expected, rtol=0, atol=1e-10)


def test_norms_are_held_at_the_scale_of_the_baseline() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 4), nn.RMSNorm(4)).double().eval()
    assert norms(module) == ("1", "3")
    without_biases(module)
    inputs = torch.randn(1, 4, dtype=torch.float64)
    changing = changing_of_linear(module, inputs)
    factors = torch.tensor([1.0, 3.0], dtype=torch.float64)[:, None, None]
    passes = Passes(torch.tensor([0, 0]))
    live = changing.run(inputs, passes, lambda values: values * factors).output
    torch.testing.assert_close(live[1], live[0], rtol=0, atol=1e-4)
    held = Passes(passes.example, baseline=torch.tensor([0, 0]))
    frozen = changing.run(inputs, held, lambda values: values * factors).output
    torch.testing.assert_close(frozen[0], live[0])
    # Held, both norms are linear, and nothing is added anywhere.
    torch.testing.assert_close(frozen[1], 3 * frozen[0])


def changing_of_linear(module: nn.Module, example: torch.Tensor) -> Changing:
    return Changing(module, trace(module, example), "0")


def test_token_ids_are_not_changed_by_amounts() -> None:
    module = transformer("gpt2")
    ids = torch.zeros(1, 4, dtype=torch.int64)
    with pytest.raises(UsageError, match="token ids"):
        Changing(module, trace(module, ids), "input").run(
            ids, Passes(torch.tensor([0])), lambda values: values
        )
