from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analyses.probing import dense, probe, probed
from tests.geometry.networks import network
from tests.text_models import tiny_config
from torch import nn

from polylens.analyses import Outcome, Probed
from polylens.analyses.rescaling import Rescaling
from polylens.models._transformers import build
from polylens.records import Network, Origins, Rows, TextFormat

FEW = {"draws": 1, "resamples": 20}


def at_layer(rows: Rows, at: Probed, layer: str) -> tuple[Rows, Probed]:
    return replace(rows, layer=layer), replace(at, layer=layer)


@pytest.mark.parametrize("name", ["convolutional", "residual"])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000), factor=st.floats(1e-3, 1e3))
def test_without_biases_scaling_by_any_positive_number_flips_no_bit(
    name: str, seed: int, factor: float
) -> None:
    module, shape = network(name, seed=seed)
    # A hard tanh is not homogeneous: it saturates at a fixed number.
    if name == "residual":
        module.narrow.weight.data *= 1e-6
    rows, at = probed(module, torch.randn(3, *shape, dtype=torch.float64))
    found = probe(Rescaling(factors=(factor,), **FEW), rows, at).numbers
    assert found["most_flipped_bits.live.without_biases"].value == 0
    assert found["displaced_flipped_share.live.without_biases"].value >= 0


def test_biases_are_taken_from_a_copy() -> None:
    module = dense(4, 8, 8, 3, seed=1)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    rows, at = at_layer(*probed(module, torch.randn(10, 4)), "1")
    found = probe(Rescaling(factors=(0.05,), **FEW), rows, at)
    assert found.numbers["most_flipped_bits.live.with_biases"].value > 0
    assert found.numbers["most_flipped_bits.live.without_biases"].value == 0
    assert "has no layer norms" in " ".join(found.notes)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert all(tensor.dtype == torch.float32 for tensor in module.parameters())


def test_norms_live_take_a_scale_back_and_held_they_hand_it_on() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)
    ).eval()
    module[1].eps = 0.0
    module[2].bias.data += torch.randn(16)
    rows, at = at_layer(*probed(module, torch.randn(12, 4)), "0")
    found = probe(Rescaling(factors=(0.1, 10.0), **FEW), rows, at).numbers
    assert found["most_flipped_bits.live.with_biases"].value == 0
    assert found["most_flipped_bits.frozen.with_biases"].value > 0
    assert found["most_flipped_bits.frozen.without_biases"].value == 0
    assert found["displaced_flipped_share.live.with_biases"].value > 0


class Ids:
    """Inputs of tokens, of several lengths."""

    def __init__(self) -> None:
        self.ids = ("a", "b")
        self.tokens = [torch.arange(20, 29), torch.arange(40, 46)]

    def batch(self, indices: list[int]) -> torch.Tensor:
        return torch.nn.utils.rnn.pad_sequence(
            [self.tokens[index] for index in indices], batch_first=True, padding_value=-1
        )

    def lengths(self) -> np.ndarray:
        return np.array([9, 6])


@pytest.mark.parametrize("architecture", ["gpt2", "bert"])
def test_the_residual_stream_of_a_transformer_is_scaled_everywhere_or_at_one_token(architecture: str) -> None:
    module = build(tiny_config(architecture), attention="sdpa", generator=torch.Generator().manual_seed(0))
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(1))
    layer = "transformer.h.0" if architecture == "gpt2" else "encoder.layer.0"
    examples = Ids()
    network = Network(
        "tiny",
        module,
        TextFormat("", "", 64),
        example_input=examples.batch([0]),
        is_causal=architecture == "gpt2",
    )
    origins = Origins(np.array([0, 0, 1]), np.array([3, 8, 2]), (64,), examples.ids)
    rows = Rows(layer, origins)
    at = Probed.__new__(Probed)
    object.__setattr__(at, "network", network)
    object.__setattr__(at, "examples", examples)
    object.__setattr__(at, "layer", layer)
    object.__setattr__(at, "own", None)
    analysis = Rescaling(factors=(0.2, 5.0), **FEW)
    found = probe(analysis, rows, at)
    assert {"live.with_biases", "frozen.with_biases", "live.without_biases", "frozen.without_biases"} == {
        name.removeprefix("flipped_share.") for name in found.numbers if name.startswith("flipped_share.")
    }
    assert "smooth" in " ".join(found.notes)
    assert set(found.tables["factors"]["layer"]) > {""}
    if architecture == "bert":
        return
    one = probe(Rescaling(factors=(0.2, 5.0), at="position", **FEW), rows, at)
    name = "flipped_share.frozen.with_biases"
    assert one.numbers[name] != found.numbers[name]
    figures = analysis.draw({"network": (Outcome(rows, found, {}),)}, subject="S.")
    assert [figure.name for figure in figures] == ["rescaling", "rescaling-by-layer"]
