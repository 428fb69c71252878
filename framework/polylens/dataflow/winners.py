"""Which element of its window wins each max-pooling window.

1. PyTorch's pooling kernels give the flat index, in the image, of each window's first largest element.
2. It is taken apart into coordinates, and the window's first coordinate along each axis is taken away; what
   is left, over the dilation, is the place in the window, row by row.
3. For a maximum over whole axes these are put last, and the first largest of them is taken.

Invariant: places are counted as if the padding were there, so that one number means one offset in every
window.

Cost: a few operations on one number a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from jaxtyping import Float, Int

SLIDING = ("max_pool2d_with_indices", "max_pool3d_with_indices")
ADAPTIVE = ("adaptive_max_pool2d", "adaptive_max_pool3d")
REDUCING = ("amax", "max")
"""Maximum over whole axes: one window an output."""


def window_size(operation: str, arguments: Mapping[str, Any]) -> int:
    """Elements of the (largest) window."""
    source = arguments["self"]
    if operation in SLIDING:
        return prod(_every_axis(arguments["kernel_size"], rank=_rank(operation)))
    if operation in ADAPTIVE:
        rank = _rank(operation)
        extents = source.shape[-rank:]
        return prod(_longest(n, m) for n, m in zip(extents, arguments["output_size"], strict=True))
    return prod(source.shape[axis] for axis in reduced_axes(arguments))


def winners(operation: str, arguments: Mapping[str, Any], result: Any) -> Int[torch.Tensor, "examples ..."]:
    """The winner of each window, as its row-major index within the window (padding counts as places).

    Source: PyTorch's pooling kernels, which report the first of equal elements.
    """
    if operation in SLIDING:
        return _sliding(operation, arguments, result[1])
    if operation in ADAPTIVE:
        return _adaptive(operation, arguments, result[1])
    return _reducing(arguments)


def _sliding(
    operation: str, arguments: Mapping[str, Any], flat: Int[torch.Tensor, "examples ..."]
) -> Int[torch.Tensor, "examples ..."]:
    rank = _rank(operation)
    kernel = _every_axis(arguments["kernel_size"], rank=rank)
    stride = _every_axis(arguments["stride"] or kernel, rank=rank)
    padding = _every_axis(arguments["padding"], rank=rank)
    dilation = _every_axis(arguments["dilation"], rank=rank)
    within = torch.zeros((), dtype=torch.int32, device=flat.device)
    for axis, coordinate in enumerate(_coordinates(flat, arguments["self"].shape[-rank:])):
        window = torch.arange(flat.shape[axis - rank], device=flat.device) * stride[axis] - padding[axis]
        offset = coordinate - _along(window.to(coordinate.dtype), axis=axis, rank=rank)
        within = within * kernel[axis] + (offset if dilation[axis] == 1 else offset // dilation[axis])
    return within


def _adaptive(
    operation: str, arguments: Mapping[str, Any], flat: Int[torch.Tensor, "examples ..."]
) -> Int[torch.Tensor, "examples ..."]:
    rank = _rank(operation)
    extents = arguments["self"].shape[-rank:]
    within = torch.zeros((), dtype=torch.int32, device=flat.device)
    for axis, coordinate in enumerate(_coordinates(flat, extents)):
        n, m = extents[axis], flat.shape[axis - rank]
        window = torch.arange(m, device=flat.device) * n // m
        offset = coordinate - _along(window.to(coordinate.dtype), axis=axis, rank=rank)
        within = within * _longest(n, m) + offset
    return within


def _reducing(arguments: Mapping[str, Any]) -> Int[torch.Tensor, "examples ..."]:
    source: Float[torch.Tensor, "examples ..."] = arguments["self"]
    axes = reduced_axes(arguments)
    kept = [axis for axis in range(source.dim()) if axis not in axes]
    windows = source.permute(*kept, *axes).flatten(len(kept))
    first = windows.argmax(dim=-1)
    if arguments["keepdim"]:
        for axis in axes:
            first = first.unsqueeze(axis)
    return first


def _coordinates(flat: Int[torch.Tensor, "..."], extents: torch.Size) -> list[Int[torch.Tensor, "..."]]:
    """The coordinates along each axis of flat row-major indices."""
    # One division an axis, and of 32 bits where they suffice: divisions are most of the work.
    rest = flat.to(torch.int32) if prod(extents) < 2**31 else flat
    coordinates = []
    for extent in reversed(extents[1:]):
        quotient = torch.div(rest, extent, rounding_mode="floor")
        coordinates.append(rest - quotient * extent)
        rest = quotient
    return [rest, *reversed(coordinates)]


def _along(values: Int[torch.Tensor, "n"], *, axis: int, rank: int) -> Int[torch.Tensor, "..."]:
    """`values` laid along one of the last `rank` axes, ready to be broadcast."""
    return values.reshape([-1 if index == axis else 1 for index in range(rank)])


def _longest(n: int, m: int) -> int:
    """The longest of adaptive pooling's windows of `m` outputs over `n` inputs."""
    return max(-(-(i + 1) * n // m) - i * n // m for i in range(m))


def reduced_axes(arguments: Mapping[str, Any]) -> tuple[int, ...]:
    """The axes a maximum runs over, counted from the front, ascending."""
    dim = arguments["dim"]
    rank = arguments["self"].dim()
    axes = (dim,) if isinstance(dim, int) else (tuple(dim) or tuple(range(rank)))
    return tuple(sorted(axis % rank for axis in axes))


def _rank(operation: str) -> int:
    return 3 if "3d" in operation else 2


def _every_axis(value: Any, *, rank: int) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * rank if len(values) == 1 else values
