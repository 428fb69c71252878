"""A module's name: all that Python can see of it, and what it does."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from polylens.modules import Behaviour, behaviour_of, contents_digest, copy_module

FACTOR = 2.0
INPUTS = torch.linspace(-1, 1, 20).reshape(5, 4)


class Settings:
    def __init__(self) -> None:
        self.steps = {"first": [1, 2.0]}


class Rich(nn.Module):
    """Holds numbers in every place that a module may hold them in."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(4, 3)
        self.temperature, self.mode = 1.0, "plain"
        self.array, self.raw = np.ones(3, dtype=np.float32), torch.ones(3)
        self.nested: list[Any] = [1, {"depth": 2}]
        self.settings = Settings()
        self.call: Any = functools.partial(torch.mul, other=torch.ones(3))
        power = 3.0
        self.close: Any = lambda x: x * power
        self.register_buffer("mask", torch.ones(3), persistent=False)
        self.unregistered = [nn.Linear(1, 1)]
        nn.init.ones_(self.unregistered[0].weight)
        nn.init.zeros_(self.unregistered[0].bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out = (
            self.dense(inputs)
            / self.temperature
            * FACTOR
            * torch.from_numpy(self.array)
            * self.raw
            * self.mask
        )
        out = self.unregistered[0](self.close(self.call(out)).unsqueeze(-1)).squeeze(-1)
        return -out if self.mode == "minus" else out


class KeepsTraining(Rich):
    def train(self, mode: bool = True) -> KeepsTraining:
        super().train(mode)
        self.dense.training = True
        return self


def _base() -> Rich:
    torch.manual_seed(0)
    return Rich()


def _closed(power: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: x * power


def _default(x: torch.Tensor, power: float = 3.5) -> torch.Tensor:
    return x * power


CHANGES: dict[str, Callable[[Rich], object]] = {
    "a number": lambda m: setattr(m, "temperature", 2.0),
    "a text": lambda m: setattr(m, "mode", "minus"),
    "an array in place": lambda m: m.array.__setitem__(0, 2),
    "a tensor that is not registered": lambda m: m.raw.mul_(2),
    "a nested list": lambda m: m.nested[1].update(depth=3),
    "an object": lambda m: m.settings.steps["first"].append(3),
    "a partial": lambda m: setattr(m, "call", functools.partial(torch.mul, other=torch.zeros(3))),
    "a closure": lambda m: setattr(m, "close", _closed(4.0)),
    "a default": lambda m: setattr(m, "close", _default),
    "a buffer in no state dict": lambda m: m.mask.mul_(3),
    "a module in a list": lambda m: nn.init.zeros_(m.unregistered[0].weight),
    "a hook": lambda m: m.dense.register_forward_hook(lambda _m, _i, out: out * 2),
    "a pre-hook": lambda m: m.dense.register_forward_pre_hook(lambda _m, given: (given[0] * 2,)),
    "a parametrisation": lambda m: parametrizations.spectral_norm(m.dense),
    "a patched forward": lambda m: setattr(m, "forward", types.MethodType(lambda s, x: s.dense(x), m)),
    "a part that stays in training mode": lambda m: setattr(m, "__class__", KeepsTraining),
    "a weight": lambda m: m.dense.weight.data[0, 0].add_(1e-3),
}


def _digest(module: nn.Module, *, weights: bool = True) -> str:
    return contents_digest(copy_module(module).eval(), weights=weights)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_a_module_holds_is_in_its_name(change: Callable[[Rich], object]) -> None:
    changed = _base()
    assert _digest(changed) == _digest(_base())
    change(changed)
    assert _digest(changed) != _digest(_base())


def test_a_global_that_forward_reads_is_in_its_name_and_in_what_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, did = _digest(_base()), behaviour_of(_base(), INPUTS)
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    assert _digest(_base()) != before
    assert not behaviour_of(_base(), INPUTS).agrees(did)


def _typed(function: str) -> nn.Module:
    """A module of a class that has no source file, as those typed into a notebook."""
    names: dict[str, Any] = {}
    lines = f"""
from torch import nn
class Typed(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(4, 3)
    def forward(self, inputs):
        return self.dense(inputs).{function}()
"""
    exec(lines, names)
    torch.manual_seed(0)
    typed: nn.Module = names["Typed"]()
    return typed


def test_classes_without_source_are_told_apart_by_their_code() -> None:
    assert _digest(_typed("relu")) == _digest(_typed("relu"))
    assert _digest(_typed("relu")) != _digest(_typed("tanh"))


def test_numbers_of_parameters_are_left_out_where_they_are_asked_to_be_and_ties_are_seen() -> None:
    one, other = (
        nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)),
    )
    assert _digest(one) != _digest(other)
    assert _digest(one, weights=False) == _digest(other, weights=False)
    other[1].weight = other[0].weight
    assert _digest(one, weights=False) != _digest(other, weights=False)


def test_behaviour_is_the_same_up_to_rounding_and_not_beyond() -> None:
    module = _base()
    did = behaviour_of(copy_module(module), INPUTS)
    assert did.agrees(behaviour_of(copy_module(module), INPUTS))
    rounded = Behaviour(did.parts, did.numbers * (1 + 2.0**-20), did.failure)
    assert rounded.agrees(did)
    assert rounded.digest != did.digest
    assert not Behaviour(did.parts, did.numbers * 1.001, did.failure).agrees(did)
    assert not Behaviour((*did.parts[:-1], "other"), did.numbers, did.failure).agrees(did)
    # 15 numbers of the dense layer's output and 15 of the network's, beside mean and root mean square.
    assert (~np.isnan(did.numbers)).sum(axis=1).tolist() == [17, 17]


def test_a_pass_that_fails_is_a_behaviour_too() -> None:
    did = behaviour_of(_base(), torch.ones(2, 9))
    assert did.failure == "RuntimeError"
    assert not did.agrees(behaviour_of(_base(), INPUTS))


def test_a_part_inside_of_a_vmap_is_known_by_what_comes_of_it() -> None:
    class Mapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(4, 3)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = torch.vmap(self.dense)(inputs)
            return out

    did = behaviour_of(Mapped(), INPUTS)
    assert (did.parts, did.failure) == (("",), "")
