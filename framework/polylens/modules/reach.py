"""Learnt tensors that a pass reads although its module does not hold them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from polylens.errors import UsageError, listed
from polylens.modules.behaviour import Behaviour
from polylens.modules.randomness import with_seed


def check_reach(module: nn.Module, inputs: torch.Tensor, *, given: nn.Module, meant: str) -> None:
    """Checks that a pass reads no parameters but the module's.

    Args:
        module, inputs, given: as `outside_parameters` takes them.
        meant: what is to become of the weights, such as `shuffled`.

    Raises:
        UsageError: it does; says which.
    """
    outside = outside_parameters(module, inputs, given=given)
    if outside:
        raise UsageError(
            f"the weights cannot be {meant}: {listed(outside, most=6)} would stay, as they are read from "
            "outside of the module",
            hint="let forward() and hooks read what `self`, or the part that a hook is given, holds: a "
            "function that closes over a module, a global, a class attribute and a default are the same in "
            "every copy; or leave this control out",
        )


def check_changed(pairs: Iterable[tuple[Behaviour, Behaviour]], *, meant: str) -> None:
    """Checks that a control does not give the very outputs of its network.

    Args:
        pairs: what the network does with some inputs, and what the control does with them. The first pair
            that differs is the last that is asked for: inputs that say nothing, such as a blank image, may
            have one output whatever the weights are. Zeros for all inputs say nothing either.
        meant: what became of the weights, such as `shuffled`.

    Raises:
        UsageError: it does: what is learnt stands where no control looks.
    """
    is_silent = True
    for before, after in pairs:
        if not before.ends_like(after):
            return
        is_silent = is_silent and before.ends_in_zeros()
    if not is_silent:
        raise UsageError(
            f"the weights cannot be {meant}: the outputs would stay exactly as they are",
            hint="let forward() compute from the module's parameters, not from copies of them in attributes, "
            "arrays or buffers; or leave this control out",
        )


def outside_parameters(module: nn.Module, inputs: torch.Tensor, *, given: nn.Module) -> tuple[str, ...]:
    """Parameters that forward() reads and that are none of the module's, so that no control changes them.

    A function that closes over a module goes on with that very one in every copy; a global module, a class
    attribute and a default argument are copied as little. Only a pass shows them all.

    Args:
        module: a copy in eval mode that nobody else uses, as a pass may change what it holds.
        inputs: a batch of examples.
        given: what the module was copied from; its parameters are told by their names.
    """
    seen = _Parameters()
    first = next(module.parameters(), None)
    # Whoever runs it next says what is wrong with it.
    with suppress(Exception), torch.no_grad(), with_seed(0), seen:
        module(inputs.clone() if first is None else inputs.clone().to(first.device))
    own = {_place(parameter) for parameter in module.parameters()}
    names = {_place(parameter): name for name, parameter in given.named_parameters()}
    return tuple(
        names.get(key) or f"{' x '.join(map(str, parameter.shape))} numbers"
        for key, parameter in seen.met.items()
        if key not in own
    )


def _place(tensor: torch.Tensor) -> int:
    """The same for a tensor and all views of it, each of which stands for what is learnt."""
    return int(tensor.untyped_storage()._cdata) if tensor.layout is torch.strided else id(tensor)


class _Parameters(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps every parameter that an operation is given."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.met: dict[int, torch.Tensor] = {}

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        for value in tree_leaves((args, kwargs or {})):
            is_learnt = isinstance(value, torch.Tensor) and value.requires_grad and value.is_leaf
            if is_learnt or isinstance(value, nn.Parameter):  # also where it is frozen
                self.met.setdefault(_place(value), value)
        return func(*args, **(kwargs or {}))
