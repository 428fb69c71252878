"""Which elements each window of a max-pooling looks at, and which of them wins.

1. Along each pooled axis it is listed where each place of each window lies; what is in the padding, or
   beyond a short adaptive window, is outside.
2. The lists of all axes are combined in row-major order, and repeated for every channel
   (`window_elements`).
3. For winners the values are rounded to a grid, the pooling itself is run on them, and its winners are
   read: the first of equal elements (`window_winners`).

Invariants: places are numbered as `polylens.dataflow` numbers winners, so that a winner is an index into
the window's list. Which elements tie does not depend on roundings, nor on the other examples of the batch.

Cost: the list is made once for each pooling; winners cost one pooling.
Source: decision 0008 for the grid.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float64, Int64

from polylens.dataflow.operations import Arguments, canonical
from polylens.dataflow.winners import ADAPTIVE, REDUCING, SLIDING, reduced_axes, winners
from polylens.geometry.tape import Reference, TapeStep

_GRID = 2.0**-44
"""Values are compared on a grid of this share of the largest, so that equal ones tie despite rounding."""


def window_elements(operation: str, arguments: Arguments, windows: tuple[int, ...]) -> torch.Tensor:
    """The flat index, within one example, of each place of each window; -1 where a place is outside.

    Places are numbered as `polylens.dataflow` numbers winners.

    Args:
        operation: canonical name of the pooling.
        arguments: of a call on any number of examples.
        windows: the shape of one example's result.
    """
    source: torch.Tensor = arguments["self"]
    shape = source.shape[1:]
    ids = torch.arange(shape.numel(), device=source.device).reshape(shape)
    if operation in REDUCING:
        axes = [axis - 1 for axis in reduced_axes(arguments)]
        # A maximum over whole axes: these last, so that each of the others is one window.
        kept = [axis for axis in range(ids.dim()) if axis not in axes]
        return ids.permute(*kept, *axes).flatten(len(kept)).reshape(torch.Size(windows).numel(), -1)
    rank = 3 if "3d" in operation else 2
    tables = [
        _places(
            operation, arguments, axis=axis, rank=rank, extent=shape[axis - rank], count=windows[axis - rank]
        )
        for axis in range(rank)
    ]
    flat = torch.zeros((), dtype=torch.int64)
    outside = torch.zeros((), dtype=torch.bool)
    for axis, table in enumerate(tables):
        # Axes of windows first, then those of places: all combinations by broadcasting.
        laid = [1] * (2 * rank)
        laid[axis], laid[rank + axis] = table.shape
        flat = flat * shape[axis - rank] + table.clamp(min=0).reshape(laid)
        outside = outside | (table < 0).reshape(laid)
    area = shape[-rank:].numel()
    channels = torch.arange(shape.numel() // area)[:, None, None] * area
    grid = flat.reshape(1, -1, _product(tables, 1)) + channels
    hidden = outside.expand(flat.shape).reshape(1, -1, _product(tables, 1)).expand(grid.shape)
    return torch.where(hidden, -1, grid).flatten(0, 1).to(source.device)


def window_winners(
    step: TapeStep, values: dict[int, torch.Tensor], points: int
) -> Int64[torch.Tensor, "points windows"]:
    """The place that wins each window, the first of those that are equal but for rounding."""
    arguments = step.arguments(values, points)
    source: Float64[torch.Tensor, "points ..."] = arguments["self"]
    # Each example has a grid of its own, so that no other one decides what is equal in it.
    unit = source.abs().flatten(1).amax(dim=1).reshape(-1, *[1] * (source.dim() - 1)) * _GRID
    unit = torch.where(unit > 0, unit, 1.0)
    snapped = torch.round(source / unit) * unit
    result = step.function(
        *[snapped if isinstance(item, Reference) else item for item in step.args], **dict(step.kwargs)
    )
    # Where the operation gives no indices, winners are read off what it was given.
    arguments = {**arguments, "self": snapped}
    return winners(canonical(step.function), arguments, result).reshape(points, -1).to(torch.int64)


def _product(tables: list[torch.Tensor], axis: int) -> int:
    return torch.Size([table.shape[axis] for table in tables]).numel()


def _places(
    operation: str, arguments: Arguments, *, axis: int, rank: int, extent: int, count: int
) -> Int64[torch.Tensor, "windows places"]:
    """Along one axis, where each place of each window is; -1 outside."""
    window = torch.arange(count)[:, None]
    if operation in ADAPTIVE:
        # From the floor of its share of the axis to the ceiling: windows may overlap, and some are one
        # longer.
        start, end = window * extent // count, -(-(window + 1) * extent // count)
        at = start + torch.arange(int((end - start).max()))
        return torch.where(at < end, at, -1)
    assert operation in SLIDING
    kernel = _along(arguments["kernel_size"], axis, rank)
    stride = _along(arguments["stride"] or arguments["kernel_size"], axis, rank)
    padding, dilation = _along(arguments["padding"], axis, rank), _along(arguments["dilation"], axis, rank)
    at = window * stride - padding + torch.arange(kernel) * dilation
    return torch.where((at >= 0) & (at < extent), at, -1)


def _along(value: Any, axis: int, rank: int) -> int:
    values = (value,) if isinstance(value, int) else tuple(value)
    return int(values[axis] if len(values) == rank else values[0])
