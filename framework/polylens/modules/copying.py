"""Copies of modules, and the tensors that a module holds where PyTorch does not see them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from polylens.errors import UsageError

_OWN = frozenset(vars(nn.Module())) | {"_is_hf_initialized"}
"""What every module has in its `__dict__`: parameters, buffers, submodules, hooks and flags."""
_DEEPEST = 4
"""Lists within lists that are looked through for tensors."""


def copy_module(module: nn.Module) -> nn.Module:
    """A copy that shares nothing with the module but its classes.

    Results of a computation that the module keeps (a cache, the weight that old-style weight norm computes)
    are copied without their history, which PyTorch refuses to copy.

    Raises:
        UsageError: it holds what cannot be copied, such as a lock or an open file; says what and where.
    """
    computed = {
        id(tensor): tensor.detach().clone() for _, tensor in held_tensors(module) if not tensor.is_leaf
    }
    try:
        made: nn.Module = copy.deepcopy(module, dict(computed))
    except Exception as error:  # whatever a class of its own raises
        raise UsageError(
            f"the network cannot be copied: {_uncopied(module, computed) or error}",
            hint="give the class that holds it a __deepcopy__ method, or hold it outside of the network",
        ) from error
    return made


def _uncopied(module: nn.Module, computed: Mapping[int, Any]) -> str:
    """The first attribute that cannot be copied, and why; nothing where each by itself can."""
    for path, part in module.named_modules():
        for name, value in plain_attributes(part).items():
            try:
                copy.deepcopy(value, dict(computed))
            except Exception as error:
                return f"{'.'.join(filter(None, (path, name)))}, of type {type(value).__name__}: {error}"
    return ""


def plain_attributes(part: nn.Module) -> dict[str, Any]:
    """What the module itself holds beside parameters, buffers, submodules, hooks and the training flag."""
    return {name: value for name, value in vars(part).items() if name not in _OWN}


def held_tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor in plain attributes of the module and its parts, in lists and unregistered modules too."""
    registered = {id(part) for part in module.modules()}
    seen: set[int] = set()

    def within(path: str, value: Any, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
        if isinstance(value, torch.Tensor):
            yield path, value
            return
        if id(value) in seen or id(value) in registered or depth > _DEEPEST:
            return
        if isinstance(value, nn.Module):
            seen.add(id(value))
            for name, tensor in value.named_parameters():
                yield f"{path}.{name}", tensor
            for name, inner in value.named_modules():
                yield from attributes(f"{path}.{name}" if name else path, inner, depth)
        elif isinstance(value, Mapping):
            seen.add(id(value))
            for key, item in value.items():
                yield from within(f"{path}[{key!r}]", item, depth + 1)
        elif isinstance(value, (list, tuple, set, frozenset)):
            seen.add(id(value))
            for index, item in enumerate(value):
                yield from within(f"{path}[{index}]", item, depth + 1)

    def attributes(path: str, part: nn.Module, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
        for name, value in plain_attributes(part).items():
            yield from within(f"{path}.{name}" if path else name, value, depth + 1)

    for path, part in module.named_modules():
        yield from attributes(path, part, 0)


def unregistered_tensors(module: nn.Module) -> tuple[str, ...]:
    """Names of tensors that are learnt but are no parameters of the module, such as those in a plain list.

    They need a gradient and depend on nothing; no optimiser got them from `parameters()`, and no control
    could change them.
    """
    known = {id(parameter) for parameter in module.parameters()}
    return tuple(
        path
        for path, tensor in held_tensors(module)
        if tensor.requires_grad and tensor.is_leaf and id(tensor) not in known
    )
