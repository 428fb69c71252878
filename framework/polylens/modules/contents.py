"""A digest of all that decides what a module computes, as far as Python can see it."""

from __future__ import annotations

import hashlib

from torch import nn

from polylens.modules.copying import plain_attributes
from polylens.modules.values import Values

_HOOKS = ("_forward_pre_hooks", "_forward_hooks")


def contents_digest(module: nn.Module, *, weights: bool) -> str:
    """sha256 over parameters, buffers, attributes, hooks, training flags and code of a module and its parts.

    Names, types and shapes of parameters always count; their numbers only with `weights`. Buffers count with
    their numbers, also those that are in no state dict. Attributes count with all that they hold: numbers,
    texts, lists, arrays, tensors that are not registered, functions with their defaults and closures. Code
    is what was compiled, not a source file that may have changed since: of every class that is not PyTorch's
    or Python's, with the globals that functions of one's own read. Where a thing can only be told by its type
    (an object of a C extension, a lock), its type counts; `Behaviour` is for the rest.

    Args:
        module: in the mode in which it will be used.
        weights: whether the parameters' numbers count.

    >>> layer = nn.Linear(2, 1)
    >>> before = contents_digest(layer, weights=True)
    >>> layer.note = 3
    >>> contents_digest(layer, weights=True) == before
    False
    """
    total = hashlib.sha256()
    values = Values(total, inner=lambda part, into: _add_part_tree(part, into, weights=True))
    _add_part_tree(module, values, weights=weights)
    return total.hexdigest()


def _add_part_tree(module: nn.Module, values: Values, *, weights: bool) -> None:
    numbers = {id(part): number for number, (_, part) in enumerate(module.named_modules())}
    for part in module.modules():
        values.keep(part)  # where an attribute names a part, it is known by its place
    for path, part in module.named_modules(remove_duplicate=False):
        values.say(f"part {path} {numbers[id(part)]}")
    order: dict[int, int] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        # A number by which tied parameters are seen to be one.
        values.say(f"parameter {name} {order.setdefault(id(parameter), len(order))}")
        values.add_tensor(parameter, numbers=weights)
    for path, part in module.named_modules():
        values.say(f"module {path} {part.training}")
        values.add(type(part))
        for name, buffer in part._buffers.items():
            values.say(f"buffer {name}")
            values.add(buffer)
        for kind in _HOOKS:
            values.say(kind)
            for hook in getattr(part, kind, {}).values():
                values.add(hook)
        values.add(plain_attributes(part))
