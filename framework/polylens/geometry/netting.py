"""What a walk met, as net changes of regime: a boundary that is only touched is not crossed.

1. Events of all nonlinearities become one list, with one number for every unit of every segment.
2. They are sorted by unit and place; what one unit does at one place is summed.
3. A running sum, less what the units before it came to, gives the regime after each change.
4. Sums of zero (touched, not crossed) are left out, what happens at the start goes to the first cell, what
   happens at the end is left out; the rest is sorted by segment and position.

Cost: the sorting of the events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int32, Int64

from polylens.geometry.places import positions_of, segments_of
from polylens.geometry.walking import SegmentWalk


@dataclass(frozen=True, eq=False)
class Net:
    """Net changes of regime on one segment, one a unit and position, ordered by position."""

    position: Float64[np.ndarray, "changes"]
    nonlinearity: Int64[np.ndarray, "changes"]
    unit: Int64[np.ndarray, "changes"]
    before: Int64[np.ndarray, "changes"]
    after: Int64[np.ndarray, "changes"]
    start: tuple[Int64[np.ndarray, "_"], ...]
    """By nonlinearity, every unit's regime in the first cell."""


def net_changes(walk: SegmentWalk) -> list[Net]:
    """The changes inside each segment, and the regimes just after its start.

    What one unit does at one place is summed. What happens at the very start belongs to the regimes of the
    first cell; after the very end there is no cell.
    """
    starts = [walk.starts[index].numpy() for index in range(len(walk.starts))]
    width = sum(start.shape[1] for start in starts)
    offsets = np.cumsum([0, *(start.shape[1] for start in starts)])
    begin: Int32[np.ndarray, "segments units"] = (
        np.concatenate(starts, axis=1) if starts else np.zeros((walk.segments, 0), dtype=np.int32)
    )
    if not any(len(event.place) for event in walk.events):
        nothing = np.zeros(0, dtype=np.int64)
        return [
            Net(np.zeros(0), nothing, nothing, nothing, nothing, _by_nonlinearity(row, offsets))
            for row in begin
        ]
    place = torch.cat([event.place for event in walk.events]).cpu()
    unit = torch.cat([event.unit for event in walk.events]).cpu().numpy()
    delta = torch.cat([event.after - event.before for event in walk.events]).cpu().numpy()
    nonlinearity = np.repeat(
        np.array([event.nonlinearity for event in walk.events]), [len(event.unit) for event in walk.events]
    )
    segment = segments_of(place).numpy()
    # Units of different segments are different units.
    flat = segment * width + offsets[nonlinearity] + unit
    order = np.lexsort((place.numpy(), flat))
    place, flat, delta = place[torch.from_numpy(order)], flat[order], delta[order]
    position = positions_of(place).numpy()
    new_unit = np.diff(flat, prepend=-1) != 0
    firsts = np.flatnonzero(new_unit | (np.diff(place.numpy(), prepend=-1) != 0))
    change = np.add.reduceat(delta, firsts)
    total = np.cumsum(change)
    is_first = new_unit[firsts]
    # The running sum of each unit alone: what the units before it summed to is taken away.
    earlier = (total - change)[is_first][np.cumsum(is_first) - 1]
    position, flat = position[firsts], flat[firsts]
    after = begin.reshape(-1)[flat] + total - earlier
    at_start = position == 0.0
    begin.reshape(-1)[flat[at_start]] = after[at_start]
    kept = np.flatnonzero((change != 0) & ~at_start & (position < 1.0))
    # By segment, and within each by position.
    kept = kept[np.lexsort((position[kept], flat[kept] // width))]
    bounds = np.searchsorted(flat[kept] // width, np.arange(walk.segments + 1))
    which = np.searchsorted(offsets, flat[kept] % width, side="right") - 1
    unit, before = flat[kept] % width - offsets[which], (after - change)[kept]
    position, after = position[kept], after[kept]
    return [
        Net(
            position=position[low:high],
            nonlinearity=which[low:high],
            unit=unit[low:high],
            before=before[low:high],
            after=after[low:high],
            start=_by_nonlinearity(row, offsets),
        )
        for low, high, row in zip(bounds[:-1], bounds[1:], begin, strict=True)
    ]


def _by_nonlinearity(
    row: Int32[np.ndarray, "units"], offsets: Int64[np.ndarray, "ends"]
) -> tuple[Int64[np.ndarray, "_"], ...]:
    return tuple(np.split(row.astype(np.int64), offsets[1:-1])) if len(offsets) > 1 else ()


def regimes_in_cells(
    start: Int64[np.ndarray, "units"],
    *,
    cell: Int64[np.ndarray, "changes"],
    unit: Int64[np.ndarray, "changes"],
    after: Int64[np.ndarray, "changes"],
    cells: int,
) -> Int64[np.ndarray, "cells units"]:
    """Every unit's regime in each cell, from where it changes.

    Args:
        start: regimes in the first cell.
        cell: the cell from which on a change holds, ascending.
        unit: what changes.
        after: its regime from there on.
        cells: how many cells there are.

    >>> regimes_in_cells(np.array([0, 1]), cell=np.array([2]), unit=np.array([0]), after=np.array([1]),
    ...                  cells=3).tolist()
    [[0, 1], [0, 1], [1, 1]]
    """
    delta = np.zeros((cells, len(start)), dtype=np.int64)
    delta[0] = start
    running = start.copy()
    # Differences go to the cell where a change begins to hold; their running sum is the regime.
    for first, who, regime in zip(cell, unit, after, strict=True):
        delta[first, who] += regime - running[who]
        running[who] = regime
    return np.cumsum(delta, axis=0)
