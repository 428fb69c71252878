from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from polylens.models import Training
from polylens.models.mlp import Mlp

REFERENCE = Mlp(inputs=64, hidden=(64, 64, 64), classes=10, training=Training())


def drawn(model: Mlp, seed: int) -> dict[str, torch.Tensor]:
    return model.build(torch.Generator().manual_seed(seed)).state_dict()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = drawn(REFERENCE, 3), drawn(REFERENCE, 3), drawn(REFERENCE, 4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["hidden.1.linear.weight"], other["hidden.1.linear.weight"])


def test_weights_are_he_normal_in_the_order_of_the_layers_and_biases_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    # By hand: a standard normal times sqrt(2 / fan-in), layer after layer.
    expected = [torch.empty(64, 64).normal_(0, (2 / 64) ** 0.5, generator=generator) for _ in range(3)]
    state = drawn(REFERENCE, 0)
    for depth, weight in enumerate(expected, start=1):
        assert torch.equal(state[f"hidden.{depth}.linear.weight"], weight)
        assert not state[f"hidden.{depth}.linear.bias"].any()


def test_building_leaves_torchs_global_stream_alone() -> None:
    before = torch.get_rng_state()
    drawn(REFERENCE, 0)
    assert torch.equal(before, torch.get_rng_state())


def test_every_named_layer_is_a_module() -> None:
    modules = dict(REFERENCE.build(torch.Generator()).named_modules())
    assert set(REFERENCE.layers()) <= set(modules)
    assert REFERENCE.layers()[:4] == ("hidden.1", "hidden.1.linear", "hidden.1.activation", "hidden.2")


def test_hidden_layers_give_post_activations_and_output_gives_logits() -> None:
    module = Mlp(inputs=3, hidden=(4, 2), classes=2).build(torch.Generator().manual_seed(1))
    parts = dict(module.named_modules())
    inputs = torch.tensor([[1.0, -2.0, 0.5]])
    # A handful of products of numbers up to 2, in float32: each sum is right to 1e-6.
    first = torch.relu(inputs @ parts["hidden.1.linear"].weight.T)
    assert torch.allclose(parts["hidden.1"](inputs), first, rtol=0, atol=1e-6)
    second = torch.relu(first @ parts["hidden.2.linear"].weight.T)
    assert torch.allclose(module(inputs), second @ parts["output"].weight.T, rtol=0, atol=1e-6)
    assert not module.training


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "hardtanh", "tanh", "gelu", "silu"])
def test_each_activation_is_built(activation: str) -> None:
    model = Mlp.model_validate({"inputs": 3, "hidden": [4], "classes": 2, "activation": activation})
    unit = dict(model.build(torch.Generator()).named_modules())["hidden.1.activation"]
    assert type(unit).__name__.lower() == activation.replace("_", "")
    assert not getattr(unit, "inplace", False)


def test_the_same_image_size_gives_vectors_of_the_right_length() -> None:
    grey = Mlp(inputs=64, hidden=(4,), classes=2, image_size=8).input_format()
    colour = Mlp(inputs=192, hidden=(4,), classes=2, image_size=8).input_format()
    assert (grey.channels, grey.resize, grey.crop, grey.flatten) == (1, 8, (8, 8), True)
    assert colour.channels == 3


def test_inputs_that_do_not_fit_the_image_are_refused_with_both_numbers_that_would() -> None:
    with pytest.raises(
        ValidationError, match="inputs is 65; an image of 8 x 8 has 64 numbers, or 192 in colour"
    ):
        Mlp(inputs=65, hidden=(4,), classes=2, image_size=8)


def test_controls_get_the_model_untrained_or_on_shuffled_targets() -> None:
    assert REFERENCE.untrained().training_here() is None
    shuffled = REFERENCE.with_targets("shuffled")
    assert shuffled is not None
    assert shuffled.training_here() == Training(targets="shuffled")
    assert REFERENCE.training_here() == Training(targets="true")
    assert REFERENCE.untrained().with_targets("shuffled") is None


def test_plain_data_reads_back_as_the_same_model() -> None:
    assert Mlp.model_validate(REFERENCE.to_plain()) == REFERENCE


def test_a_network_without_hidden_layers_is_refused() -> None:
    with pytest.raises(ValidationError):
        Mlp(inputs=3, hidden=(), classes=2)
