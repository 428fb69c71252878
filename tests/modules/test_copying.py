"""Copies of modules that hold what is hard to copy, and those that nobody can copy."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from polylens.errors import UsageError
from polylens.modules import copy_module

INPUTS = torch.linspace(-1, 1, 8).reshape(2, 4)


class Holding(nn.Module):
    """A layer, and something beside it."""

    def __init__(self, held: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(4, 3)
        self.held = held

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.dense(inputs)
        return out


class NoCopies:
    def __deepcopy__(self, memo: object) -> NoCopies:
        raise OSError("one of its kind")


def normed() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        made = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3)), nn.ReLU())
    made(INPUTS)
    return made


def cached() -> nn.Module:
    made = Holding(None)
    made.held = {"last": [made(INPUTS)]}
    return made


@pytest.mark.parametrize("make", [normed, cached])
def test_what_a_pass_left_behind_is_copied_without_its_history(make: Callable[[], nn.Module]) -> None:
    module = make()
    copied = copy_module(module)
    assert torch.equal(copied(INPUTS), module(INPUTS))
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    assert not torch.equal(copied(INPUTS), module(INPUTS))


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (threading.Lock, "1.held, of type lock: cannot pickle '_thread.lock' object"),
        (
            lambda: {"all": [(number for number in range(3))]},
            "1.held, of type dict: cannot pickle 'generator' object",
        ),
        (NoCopies, "1.held, of type NoCopies: one of its kind"),
    ],
)
def test_what_nobody_can_copy_is_named_with_its_place(held: Callable[[], Any], said: str) -> None:
    module = nn.Sequential(nn.ReLU(), Holding(held()))
    with pytest.raises(UsageError) as caught:
        copy_module(module)
    assert str(caught.value).splitlines()[0] == f"the network cannot be copied: {said}"
    assert "outside of the network" in str(caught.value.hint)


def test_a_module_that_refuses_by_itself_is_told_by_what_it_says() -> None:
    class Refusing(nn.Linear):
        def __deepcopy__(self, memo: object) -> Refusing:
            raise RuntimeError("not me")

    with pytest.raises(UsageError, match="the network cannot be copied: not me"):
        copy_module(nn.Sequential(Refusing(4, 3)))
