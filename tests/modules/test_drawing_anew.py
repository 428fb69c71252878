"""Weights drawn anew: every parameter, or a refusal that names those that would stay."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from polylens.errors import UsageError
from polylens.modules import copy_module, draw_anew, make_plain

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated:FutureWarning")


class Scaled(nn.Module):
    """A dense layer and a parameter of its own, which nothing resets."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.randn(3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.dense(inputs) * self.scale
        return out


class ScaledWithReset(Scaled):
    def reset_parameters(self) -> None:
        nn.init.normal_(self.scale)
        nn.init.constant_(self.dense.bias, 7.0)


class ScaledByApply(Scaled):
    def _init_weights(self, part: nn.Module) -> None:
        if isinstance(part, Scaled):
            part.scale.data.copy_(torch.from_numpy(np.random.standard_normal(3)))  # noqa: NPY002


class Halving(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))

    def reset_parameters(self) -> None:
        self.weight.data.mul_(0.5).add_(torch.randn(4, 3) * 1e-3)


class HalfReset(Halving):
    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight[:2])


class FromFile(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))
        self.bias = nn.Parameter(torch.randn(3))
        self.file = self.weight.detach().clone()

    def init_weights(self) -> None:
        self.weight.data.copy_(self.file)
        nn.init.normal_(self.bias)


class Listed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(2, 2)
        self.blocks = [{"first": nn.Linear(2, 2)}]


class Codebook(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(2, 2)
        self.register_buffer("codes", torch.randn(3, 2))
        self.register_buffer("table", torch.arange(6.0), persistent=False)
        self.register_buffer("zeros", torch.zeros(6))


class LowRank(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Parameter(torch.randn(3, 1))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + self.left


def _with_low_rank() -> nn.Module:
    layer = nn.Linear(4, 3)
    parametrize.register_parametrization(layer, "weight", LowRank())
    return layer


def _pruned() -> nn.Module:
    layer = nn.Linear(4, 4)
    prune.random_unstructured(layer, "weight", 0.4)
    return layer


def _tied() -> nn.Module:
    embedding, out = nn.Embedding(5, 4), nn.Linear(4, 5)
    out.weight = embedding.weight
    return nn.Sequential(embedding, out)


def _used_weight_norm() -> nn.Module:
    layer = nn.utils.weight_norm(nn.Linear(6, 4))
    layer(torch.ones(1, 6)).sum().backward()  # the layer now holds a weight with a history
    return layer


DRAWN: dict[str, Callable[[], nn.Module]] = {
    "attention": lambda: nn.MultiheadAttention(8, 2, add_bias_kv=True),
    "attention of three widths": lambda: nn.MultiheadAttention(8, 2, kdim=4, vdim=6),
    "encoder layer": lambda: nn.TransformerEncoderLayer(8, 2, 16),
    "lstm": lambda: nn.LSTM(4, 3),
    "a reset of what holds others": ScaledWithReset,
    "init_weights by apply, from NumPy": ScaledByApply,
    "weight norm": lambda: parametrizations.weight_norm(nn.Linear(6, 4)),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Conv2d(2, 4, 3)),
    "both norms": lambda: parametrizations.spectral_norm(parametrizations.weight_norm(nn.Linear(6, 4))),
    "orthogonal": lambda: parametrizations.orthogonal(nn.Linear(4, 4), use_trivialization=False),
    "older weight norm": _used_weight_norm,
    "older spectral norm": lambda: nn.utils.spectral_norm(nn.Linear(6, 4)),
    "tied": _tied,
    "batch norm": lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.PReLU()),
}


def _numbers(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def _trained(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        for value in (*module.parameters(), *module.buffers()):
            if value.is_floating_point():
                value.add_(torch.rand_like(value))
    return module


@pytest.mark.parametrize("make", DRAWN.values(), ids=DRAWN.keys())
def test_every_tensor_is_drawn_anew_and_the_given_module_stays(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    given = _trained(make()).eval()
    before = _numbers(given)
    first, again, other = (_numbers(draw_anew(given, seed=seed)) for seed in (1, 1, 2))
    assert first.keys() == before.keys()
    for name, value in before.items():
        assert torch.equal(given.state_dict()[name], value)
        assert torch.equal(first[name], again[name])
        assert not value.is_floating_point() or not torch.equal(first[name], value), name
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_draws_follow_the_rule_of_the_part_and_of_what_holds_it() -> None:
    torch.manual_seed(0)
    drawn = draw_anew(_trained(nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), ScaledWithReset())), seed=0)
    assert drawn[0].weight.abs().max() <= 0.5  # uniform up to 1 / sqrt(4)
    assert torch.equal(drawn[1].weight, torch.ones(3))
    assert torch.equal(drawn[2].dense.bias, torch.full((3,), 7.0))


def test_a_fresh_weight_norm_is_that_of_a_fresh_layer() -> None:
    torch.manual_seed(0)
    drawn = draw_anew(_trained(parametrizations.weight_norm(nn.Linear(6, 4))), seed=3)
    plain = draw_anew(nn.Linear(6, 4), seed=3)
    torch.testing.assert_close(drawn.weight, plain.weight)  # g v / |v| with g = |v|
    torch.testing.assert_close(drawn.parametrizations.weight.original0[:, 0], plain.weight.norm(dim=1))


@pytest.mark.parametrize(
    "normed", [parametrizations.spectral_norm, nn.utils.spectral_norm], ids=["parametrised", "older"]
)
def test_a_fresh_spectral_norm_divides_by_the_fresh_norm(
    normed: Callable[[nn.Module], nn.Module],
) -> None:
    torch.manual_seed(0)
    # 2 rows: fifteen steps of the power method leave (s2 / s1) ** 30 of the second direction.
    drawn = draw_anew(_trained(normed(nn.Linear(6, 2))), seed=3)
    drawn(torch.ones(1, 6))
    plain = draw_anew(nn.Linear(6, 2), seed=3).weight
    largest, second = torch.linalg.svdvals(plain.detach())
    assert (second / largest) ** 30 < 1e-3
    torch.testing.assert_close(drawn.weight, plain / largest, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (Scaled, "scale (no reset draws it)"),
        (Halving, "weight (no reset draws it)"),
        (HalfReset, "weight (no reset draws it)"),
        (FromFile, "weight (its reset gives back the given numbers)"),
        (Listed, "blocks[0]['first'].weight (no registered parameter)"),
        (Codebook, "codes (a buffer that no reset sets) would"),
        (_with_low_rank, "parametrizations.weight.0.left (no reset draws it)"),
        (_pruned, "weight_mask (a buffer that no reset sets)"),
        (lambda: nn.ParameterList([torch.randn(3)]), "0 (no reset draws it)"),
        (nn.ReLU, "the module (nothing in it is random)"),
        (lambda: nn.LayerNorm(3), "weight (nothing in it is random)"),
        (lambda: nn.Sequential(nn.Linear(3, 2), Scaled()), "1.scale (no reset draws it)"),
    ],
)
def test_what_would_stay_is_refused_by_name(make: Callable[[], nn.Module], named: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(UsageError, match=re.escape(named)) as refused:
        draw_anew(make(), seed=0)
    assert "reset_parameters()" in str(refused.value)
    assert "dense" not in str(refused.value).replace("Scaled", "")


def test_a_reset_that_fails_is_told_beside_what_it_left() -> None:
    class Failing(Scaled):
        def reset_parameters(self) -> None:
            raise KeyError("gone")

    with pytest.raises(UsageError, match=r"scale .*Failing.reset_parameters\(\) failed: KeyError: 'gone'"):
        draw_anew(Failing(), seed=0)


def test_no_global_stream_moves() -> None:
    module = ScaledByApply()
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = torch.rand(2), np.random.rand(2)  # noqa: NPY002
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    draw_anew(module, seed=0)
    assert torch.equal(torch.rand(2), expected[0])
    assert np.array_equal(np.random.rand(2), expected[1])  # noqa: NPY002


@pytest.mark.parametrize(
    "name", ["weight norm", "spectral norm", "both norms", "orthogonal", "older weight norm"]
)
def test_a_module_made_plain_computes_the_same_and_its_class_still_works(name: str) -> None:
    torch.manual_seed(0)
    given = DRAWN[name]().eval()
    inputs = torch.randn(*((3, 2, 5, 5) if isinstance(given, nn.Conv2d) else (3, given.in_features)))
    expected = given(inputs)
    plain = copy_module(given)
    assert make_plain(plain)
    torch.testing.assert_close(plain(inputs), expected)
    assert {key for key, _ in plain.named_parameters()} == {"weight", "bias"}
    torch.testing.assert_close(given(inputs), expected)
