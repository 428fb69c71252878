from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analyses.probing import dense, probe, probed
from tests.analyses.texts import transformer
from tests.geometry.networks import network
from torch import nn

from polylens.analyses import Outcome, Probed
from polylens.analyses.rescaling import Rescaling
from polylens.records import Rows

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


def test_the_residual_stream_of_a_transformer_is_scaled_everywhere_or_at_one_token() -> None:
    rows, at = transformer("gpt2")
    rows = rows.take(np.array([0, 1]))
    analysis = Rescaling(factors=(5.0,), **FEW)
    found, one = (
        probe(each, rows, at) for each in (analysis, analysis.model_copy(update={"at": "position"}))
    )
    assert {"live.with_biases", "frozen.with_biases", "live.without_biases", "frozen.without_biases"} == {
        name.removeprefix("flipped_share.") for name in found.numbers if name.startswith("flipped_share.")
    }
    assert "smooth" in " ".join(found.notes)
    name = "flipped_share.frozen.with_biases"
    assert one.numbers[name] != found.numbers[name]
    figures = analysis.draw({"network": (Outcome(rows, found, {}),)}, subject="S.")
    assert [figure.name for figure in figures] == ["rescaling", "rescaling-by-layer"]
