"""Aten operations: their names, their arguments, and those that compute no new values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch

Arguments = Mapping[str, Any]
"""An operation's arguments by the names of its schema, defaults filled in."""


SPOKEN = {
    "gelu_tanh": "gelu",
    "_prelu_kernel": "prelu",
    "rrelu_with_noise": "rrelu",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "log_sigmoid_forward": "logsigmoid",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm",
    **dict.fromkeys(
        (
            "native_batch_norm",
            "cudnn_batch_norm",
            "miopen_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "_batch_norm_no_update",
            "_batch_norm_with_update",
        ),
        "batch_norm",
    ),
}
"""The names people know operations by, where they differ from aten's."""

COPIES = frozenset({"clone", "_to_copy", "lift_fresh_copy", "detach_copy", "alias_copy", "copy"})
"""Operations whose result holds the same elements at the same places."""

REARRANGEMENTS: dict[str, tuple[str, ...]] = {
    "cat": ("tensors",),
    "stack": ("tensors",),
    "index": ("self",),
    "index_select": ("self",),
    "gather": ("self",),
    "flip": ("self",),
    "roll": ("self",),
    "repeat": ("self",),
    "pixel_shuffle": ("self",),
    "pixel_unshuffle": ("self",),
    "channel_shuffle": ("self",),
    "native_channel_shuffle": ("self",),
    "constant_pad_nd": ("self", "value"),
    "where": ("self", "other"),
    "index_put": ("self", "values"),
    "_index_put_impl": ("self", "values"),
    "masked_fill": ("self", "value"),
    "slice_scatter": ("self", "src"),
    "select_scatter": ("self", "src"),
    "view_copy": ("self",),
    "expand_copy": ("self",),
    "permute_copy": ("self",),
    "transpose_copy": ("self",),
    "slice_copy": ("self",),
    "_reshape_copy": ("self",),
}
"""Operations that move elements, and the arguments they move; no other argument may depend on the input."""

CONSTANTS = frozenset(
    {"empty_like", "zeros_like", "ones_like", "full_like", "new_empty", "new_zeros", "new_ones", "new_full"}
    | {"new_empty_strided", "zero", "fill", "sym_size", "sym_stride", "sym_numel"}
)
"""Operations that read the shape of a tensor, not its values (`fill` with a constant)."""

_UNMARKED = frozenset({"hardswish", "leaky_relu"})
"""Elementwise operations that torch does not mark so, the second in older versions."""

DECISIONS = frozenset({"_local_scalar_dense", "is_nonzero", "equal", "_assert_async"})
"""Operations that hand a tensor's value to Python, where it may decide what is computed next."""


def canonical(function: torch._ops.OpOverload) -> str:
    """The operation's name without its overload, and without the underscore of in-place calls."""
    name: str = function.overloadpacket.__name__
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


@cache
def is_elementwise(function: torch._ops.OpOverload) -> bool:
    """Whether it does the same to every value, by torch's own mark where it has one.

    What works in place is often not marked where the same operation is that gives a new tensor.
    """
    if canonical(function) in _UNMARKED:
        return True
    packet = getattr(torch.ops.aten, canonical(function), None)
    otherwise = getattr(packet, function._overloadname, None)
    return any(torch.Tag.pointwise in form.tags for form in (function, otherwise) if form is not None)


def operation_in_words(operation: str) -> str:
    """The name people know the operation by."""
    return SPOKEN.get(operation, operation.strip("_"))


def arguments_by_name(
    function: torch._ops.OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by the names of the operation's schema, defaults filled in."""
    values: dict[str, Any] = {}
    for index, argument in enumerate(function._schema.arguments):
        if index < len(args):
            values[argument.name] = args[index]
        elif argument.name in kwargs:
            values[argument.name] = kwargs[argument.name]
        else:
            values[argument.name] = argument.default_value
    return values


def written_tensors(function: torch._ops.OpOverload, arguments: Arguments) -> list[torch.Tensor]:
    """The tensors that the call changes in place."""
    changed = []
    for argument in function._schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write:
            changed += list(tensors(arguments[argument.name]))
    return changed


def tensors(value: Any) -> Iterator[torch.Tensor]:
    """Every tensor in an argument or a result."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors(item)
