"""Networks whose values for an example depend on more than that example are refused, in words."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from polylens.datasets import Opening
from polylens.datasets.digits import Digits
from polylens.errors import UsageError
from polylens.harvest.dependence import check_examples_alone
from polylens.records import Examples, ImageFormat, Network
from polylens.streams import Streams

FORMAT = ImageFormat(flatten=True)


class Between(nn.Module):
    """A dense layer, something between, and a ReLU."""

    def __init__(self, between: Callable[[Any, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.dense, self.relu, self.dropout = nn.Linear(64, 8), nn.ReLU(), nn.Dropout(0.5)
        self.norm, self.plain_norm = nn.BatchNorm1d(8), nn.BatchNorm1d(8, track_running_stats=False)
        self.between = between
        self.calls = 0
        self.kept: dict[Any, torch.Tensor] = {}
        self.register_buffer("seen", torch.zeros(8))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.relu(self.between(self, self.dense(inputs)))
        return out


class StaysInTraining(Between):
    def train(self, mode: bool = True) -> StaysInTraining:
        super().train(mode)
        self.dropout.training = self.norm.training = True
        return self


class InPlace(Between):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return super().forward(inputs.mul_(2))


def _count(self: Any, x: torch.Tensor) -> torch.Tensor:
    self.calls += 1
    return x * (1 + 1e-4 * self.calls)


def _moving(self: Any, x: torch.Tensor) -> torch.Tensor:
    self.seen += x.mean(0)
    return x - self.seen


def _cached(self: Any, x: torch.Tensor) -> torch.Tensor:
    return self.kept.setdefault(x.shape, x.clone())


def _by_fours(_self: Any, x: torch.Tensor) -> torch.Tensor:
    if len(x) % 4:
        return x
    groups = x.unflatten(0, (-1, 4))
    return (groups - groups.mean(1, keepdim=True)).flatten(0, 1)


REFUSED: dict[str, tuple[Callable[[Any, torch.Tensor], torch.Tensor], str]] = {
    "dropout": (lambda _s, x: functional.dropout(x), "drawn at random"),
    "noise": (lambda _s, x: x + 1e-3 * torch.randn_like(x), "drawn at random"),
    "NumPy's noise": (lambda _s, x: x * float(np.random.rand()), "drawn at random"),  # noqa: NPY002
    "Python's noise": (lambda _s, x: x * random.random(), "drawn at random"),
    "counter": (_count, r"change from one pass to the next \(a pass changes calls\)"),
    "moving mean": (_moving, r"change from one pass to the next \(a pass changes seen\)"),
    "cache by shape": (_cached, "depend on what was passed before"),
    "batch mean": (lambda _s, x: x - x.mean(0), "depend on the other examples"),
    "a trace of the batch": (lambda _s, x: x + 2e-3 * x.sum(0), "depend on the other examples"),
    "norm over the batch": (lambda _s, x: functional.normalize(x, dim=0), "depend on the other examples"),
    "sorting": (lambda _s, x: x.sort(dim=0).values, "depend on the other examples"),
    "place": (lambda _s, x: x * torch.arange(1, len(x) + 1)[:, None], "place in the batch"),
    "number": (lambda _s, x: x * len(x), "how many examples"),
    "many": (lambda _s, x: x - x.mean(0) if len(x) > 8 else x, "how many examples"),
    "groups of four": (_by_fours, "how many examples"),
    "fixed size": (lambda _s, x: x.view(1, 8), "cannot compute on 3 examples at once"),
    "another error of its own": (
        lambda s, x: x if len(x) == 1 else x * s.no_such_scale,
        "cannot compute on 3 examples at once.*no_such_scale",
    ),
    "batch statistics": (
        lambda s, x: s.plain_norm(x),
        r"(?s)one example alone.*'plain_norm' \(BatchNorm1d\)",
    ),
}


@pytest.fixture(scope="module")
def digits() -> Examples:
    return Digits().open(FORMAT, Opening(Streams(0), Path(), limit=12))


def _check(module: nn.Module, examples: Examples, *, layer: str = "relu") -> None:
    check_examples_alone(Network("given", module.eval(), FORMAT), examples, layers=[layer], batch_size=64)


@pytest.mark.parametrize(("between", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_values_that_depend_on_more_than_the_example_are_refused(
    between: Callable[[Any, torch.Tensor], torch.Tensor], said: str, digits: Examples
) -> None:
    torch.manual_seed(0)
    with pytest.raises(UsageError, match=said) as refused:
        _check(Between(between), digits)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("between", "part"), [(lambda s, x: s.dropout(x), "dropout"), (lambda s, x: s.norm(x), "norm")]
)
def test_parts_that_eval_does_not_reach_are_named(
    between: Callable[[Any, torch.Tensor], torch.Tensor], part: str, digits: Examples
) -> None:
    with pytest.raises(UsageError, match=f"'{part}'"):
        _check(StaysInTraining(between), digits)


@pytest.mark.parametrize(
    "between",
    [lambda _s, x: x, lambda s, x: s.norm(s.dropout(x)), lambda _s, x: functional.layer_norm(x, (8,))],
)
def test_functions_of_one_example_pass_also_where_they_change_their_input(
    between: Callable[[Any, torch.Tensor], torch.Tensor], digits: Examples
) -> None:
    torch.manual_seed(0)
    before, state = digits.batch([0, 1]), torch.get_rng_state()
    for kind in (Between, InPlace):
        torch.set_rng_state(state)
        network = kind(between)
        after = torch.get_rng_state()
        _check(network, digits)
        assert torch.equal(torch.get_rng_state(), after)
        assert network.calls == 0
    assert torch.equal(digits.batch([0, 1]), before)


def test_what_comes_behind_the_wanted_layer_does_not_matter(digits: Examples) -> None:
    network = Between(lambda _s, x: x - x.mean(0))
    _check(network, digits, layer="dense")
    with pytest.raises(UsageError, match="other examples"):
        _check(network, digits, layer="output")


def test_one_example_is_enough_to_see_what_depends_on_the_batch() -> None:
    alone = Digits().open(FORMAT, Opening(Streams(0), Path(), limit=1))
    with pytest.raises(UsageError, match="other examples"):
        _check(Between(lambda _s, x: x - x.mean(0)), alone)


def test_an_example_among_many_that_changes_all_others_is_seen(digits: Examples) -> None:
    torch.manual_seed(0)
    network = Between(lambda _s, x: x)
    marked = network.dense(digits.batch([3])).detach()  # none of the first, the middle and the last
    network.between = lambda _s, x: x * (2 if bool(((x - marked).abs().amax(1) < 1e-4).any()) else 1)
    with pytest.raises(UsageError, match="how many examples are passed at once, or on which"):
        _check(network, digits)


def test_a_batch_that_does_not_fit_into_memory_is_tried_by_halves(digits: Examples) -> None:
    tried = []

    def between(_self: Any, x: torch.Tensor) -> torch.Tensor:
        tried.append(len(x))
        if len(x) > 6:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return x - x.mean(0) if len(x) > 4 else x

    with pytest.raises(UsageError, match="how many examples"):
        _check(Between(between), digits)
    assert {12, 6} <= set(tried)


def test_a_network_that_enlarges_rounding_is_not_taken_for_one_that_mixes_examples(digits: Examples) -> None:
    class Chaotic(nn.Module):
        """Eight steps that enlarge a small difference about threefold each."""

        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.dense, self.relu = nn.Linear(64, 64), nn.ReLU()
            nn.init.normal_(self.dense.weight, std=0.5)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            out = self.dense(inputs)
            for _ in range(8):
                out = torch.sin(self.dense(out))
            found: torch.Tensor = self.relu(out)
            return found

    _check(Chaotic(), digits)
