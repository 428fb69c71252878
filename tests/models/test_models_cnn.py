from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from polylens.models import Training
from polylens.models.cnn import Cnn

PLAIN: dict[str, Any] = {"image_size": 8, "channels": [4, 6, 6], "classes": 10}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"pool": "none"},
    {"pool": "average", "pool_after": [2]},
    {"norm": "batch"},
    {"residual": True},
    {"residual": True, "norm": "batch", "head": "average"},
    {"image_channels": 3, "kernel": 5, "activation": "gelu", "pool_after": [1, 2, 3]},
]


def cnn(**changes: Any) -> Cnn:
    return Cnn.model_validate({**PLAIN, **changes})


def shapes(model: Cnn) -> dict[str, tuple[int, ...]]:
    module = model.build(torch.Generator().manual_seed(0))
    found: dict[str, tuple[int, ...]] = {}
    for name, part in module.named_modules():
        part.register_forward_hook(
            lambda _m, _i, output, name=name: found.update({name: tuple(output.shape[1:])})
        )
    module(torch.zeros(2, *model.input_shape()))
    return found


@pytest.mark.parametrize("changes", VARIANTS)
def test_every_named_layer_runs_and_the_logits_come_out(changes: dict[str, Any]) -> None:
    model = cnn(**changes)
    found = shapes(model)
    assert set(model.layers()) <= set(found)
    assert found["output"] == (10,)


def test_height_and_width_change_only_where_a_block_is_pooled() -> None:
    found = shapes(cnn(pool_after=[2]))
    assert found["block.1"] == (4, 8, 8)
    assert found["block.2"] == (6, 8, 8)
    assert found["pool.2"] == (6, 4, 4)
    assert found["block.3"] == (6, 4, 4)
    assert "pool.1" not in cnn(pool_after=[2]).layers()


def test_all_blocks_but_the_last_are_pooled_unless_said_otherwise() -> None:
    assert [name for name in cnn().layers() if name.startswith("pool")] == ["pool.1", "pool.2"]
    assert shapes(cnn())["block.3"] == (6, 2, 2)


def test_a_block_is_its_convolution_behind_a_relu() -> None:
    module = cnn().build(torch.Generator().manual_seed(0))
    parts = dict(module.named_modules())
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    expected = torch.relu(torch.nn.functional.conv2d(images, parts["block.1.conv"].weight, padding=1))
    assert torch.allclose(parts["block.1"](images), expected, atol=1e-6)


def test_a_residual_block_adds_its_shortcut_before_the_last_relu() -> None:
    model = cnn(residual=True, channels=[4, 4])
    parts = dict(model.build(torch.Generator().manual_seed(0)).named_modules())
    images = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    block = parts["block.2"]
    expected = torch.relu(parts["block.2.conv"](parts["block.2.first"](images)) + images)
    assert torch.equal(block(images), expected)
    assert "block.1.shortcut" in model.layers()
    assert "block.2.shortcut" not in model.layers()


def test_the_same_seed_gives_the_same_weights_and_the_global_stream_is_left_alone() -> None:
    before = torch.get_rng_state()
    one, two, other = (
        cnn(norm="batch").build(torch.Generator().manual_seed(seed)).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["block.2.conv.weight"], other["block.2.conv.weight"])
    assert torch.equal(before, torch.get_rng_state())


def test_fresh_weights_have_the_spread_of_he_and_biases_are_zero() -> None:
    state = cnn(channels=[64, 64]).build(torch.Generator().manual_seed(0)).state_dict()
    weight = state["block.2.conv.weight"]
    # fan-in 64 * 9 = 576; 36,864 numbers give the spread to within about 1 %
    assert weight.std().item() == pytest.approx((2 / 576) ** 0.5, rel=0.02)
    assert not state["block.2.conv.bias"].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": 2}, "kernel must be odd"),
        ({"pool_after": [4]}, "there are 3"),
        ({"channels": [2] * 6}, "8 x 8 cannot be halved 5 times"),
        ({"pool": "none", "pool_after": [1]}, "pool is none"),
    ],
)
def test_what_cannot_be_built_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        cnn(**changes)


def test_controls_get_the_model_untrained_or_on_shuffled_targets() -> None:
    trained = cnn().model_copy(update={"training": Training()})
    shuffled = trained.with_targets("shuffled")
    assert shuffled is not None
    assert shuffled.training_here() == Training(targets="shuffled")
    assert trained.untrained().training_here() is None
    assert cnn().with_targets("shuffled") is None
