"""Weights that a module reads without holding them, which no control could change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from polylens.controls.shuffled_weights import ShuffledWeights
from polylens.errors import UsageError
from polylens.models._given import Given
from polylens.modules import copy_module, outside_parameters
from polylens.records import Examples, ImageFormat, Network, Shown
from polylens.streams import Streams

INPUTS = torch.linspace(-1, 1, 20).reshape(5, 4)
ENCODER = nn.Linear(4, 3)
LEARNT = torch.ones(3, 2, requires_grad=True)


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)


class ReadsGlobal(Head):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(ENCODER(x))
        return out


class ReadsLearntTensor(Head):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x[:, :3]) + x[:, :3] @ LEARNT


class ReadsClass(Head):
    weight = nn.Parameter(torch.ones(4, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(x @ self.weight)
        return out


class ReadsDefault(Head):
    def forward(self, x: torch.Tensor, weight: nn.Parameter = ReadsClass.weight) -> torch.Tensor:
        out: torch.Tensor = self.head(x @ weight)
        return out


def _closed() -> nn.Module:
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    module.forward = lambda x: module[1](module[0](x))  # type: ignore[method-assign]
    return module


def _frozen() -> nn.Module:
    return _closed().requires_grad_(False)


def _hooked() -> nn.Module:
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    module[1].register_forward_hook(lambda _part, _inputs, out: out + module[0].bias)
    return module


OUTSIDE: dict[str, tuple[Callable[[], nn.Module], tuple[str, ...]]] = {
    "a closure over itself": (_closed, ("0.weight", "0.bias")),
    "a frozen one": (_frozen, ("0.weight", "0.bias")),
    "a hook that closes over it": (_hooked, ("0.bias",)),
    "a global": (ReadsGlobal, ("3 x 4 numbers", "3 numbers")),
    "a learnt tensor": (ReadsLearntTensor, ("3 x 2 numbers",)),
    "a class attribute": (ReadsClass, ("4 x 3 numbers",)),
    "a default": (ReadsDefault, ("4 x 3 numbers",)),
}


class Few(Examples):
    ids = tuple("abcde")
    targets, classes, fingerprint = None, (), "few"

    def batch(self, indices: object) -> torch.Tensor:
        return INPUTS[np.asarray(indices)]

    def context(self, index: int, position: int = 0) -> Shown:
        raise NotImplementedError


@pytest.mark.parametrize(("make", "named"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_weights_from_outside_are_named_and_no_control_goes_on_with_them(
    make: Callable[[], nn.Module], named: tuple[str, ...]
) -> None:
    module = make().eval()
    assert outside_parameters(copy_module(module), INPUTS, given=module) == named
    given = Given(module=module, shape=(4,), format=ImageFormat(flatten=True))
    with pytest.raises(UsageError, match=f"cannot be drawn anew: {named[0]}.* from outside"):
        given.settle(lambda: INPUTS, recognise=lambda contents, _: contents, weights=("own", "fresh"))
    given.settle(lambda: INPUTS, recognise=lambda contents, _: contents, weights=("own",))
    network = Network("given", copy_module(module), ImageFormat(flatten=True))
    with pytest.raises(UsageError, match=r"cannot be shuffled: .* from outside"):
        ShuffledWeights().apply(network, Few(), Streams(0))


class ReadsCopy(nn.Module):
    """Computes from a copy of its weight, which lies where no control looks."""

    def __init__(self, *, kept: str) -> None:
        super().__init__()
        self.dense = nn.Linear(4, 3)
        copied = self.dense.weight.detach().clone()
        if kept == "buffer":
            self.register_buffer("copied", copied, persistent=False)
        else:
            self.copied = copied.numpy() if kept == "array" else copied

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(x) * 0 + x @ torch.as_tensor(self.copied).T


@pytest.mark.parametrize("kept", ["buffer", "array", "attribute"])
def test_a_control_that_gives_the_networks_own_outputs_is_refused(kept: str) -> None:
    module = ReadsCopy(kept=kept).eval()
    given = Given(module=module, shape=(4,), format=ImageFormat(flatten=True))
    with pytest.raises(UsageError, match="cannot be drawn anew: the outputs would stay"):
        given.settle(lambda: INPUTS, recognise=lambda contents, _: contents, weights=("own", "fresh"))
    with pytest.raises(UsageError, match="cannot be shuffled: the outputs would stay"):
        ShuffledWeights().apply(Network("given", module, ImageFormat(flatten=True)), Few(), Streams(0))


class Fails(nn.Linear):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        raise KeyError(str(super().forward(inputs)))


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)),
        nn.Sequential(parametrizations.weight_norm(nn.Linear(4, 3))),
        nn.GRU(4, 3),
        Fails(4, 3),
    ],
    ids=lambda module: type(module).__name__,
)
def test_weights_of_its_own_are_not_outside(module: nn.Module) -> None:
    assert outside_parameters(copy_module(module).eval(), INPUTS, given=module) == ()
