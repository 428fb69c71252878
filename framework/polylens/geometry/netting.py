"""What a walk met, as net changes of regime: a boundary that is only touched is not crossed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from polylens.geometry.walking import Walk


@dataclass(frozen=True, eq=False)
class Net:
    """Net changes of regime, one a unit and position, ordered by position."""

    position: np.ndarray
    nonlinearity: np.ndarray
    unit: np.ndarray
    before: np.ndarray
    after: np.ndarray
    start: tuple[np.ndarray, ...]


def net_changes(walk: Walk) -> Net:
    """The changes inside the segment, and the regimes just after its start.

    What one unit does at one position is summed. What happens at the very start belongs to the regimes of the
    first cell; after the very end there is no cell.
    """
    starts = [walk.starts[index].cpu().numpy() for index in range(len(walk.starts))]
    if not walk.events:
        nothing = np.zeros(0, dtype=np.int64)
        return Net(np.zeros(0), nothing, nothing, nothing, nothing, tuple(starts))
    position = np.concatenate([event.position.cpu().numpy() for event in walk.events])
    unit = np.concatenate([event.unit.cpu().numpy() for event in walk.events])
    delta = np.concatenate([(event.after - event.before).cpu().numpy() for event in walk.events])
    lengths = [len(event.unit) for event in walk.events]
    nonlinearity = np.repeat(np.array([event.nonlinearity for event in walk.events]), lengths)
    offsets = np.cumsum([0, *(len(start) for start in starts)])
    flat = offsets[nonlinearity] + unit
    order = np.lexsort((position, flat))
    position, flat, delta = position[order], flat[order], delta[order]
    new_unit = np.diff(flat, prepend=-1) != 0
    new_group = new_unit | (np.diff(position, prepend=-1.0) != 0)
    firsts = np.flatnonzero(new_group)
    change = np.add.reduceat(delta, firsts) if len(firsts) else delta[:0]
    total = np.cumsum(change)
    is_first = new_unit[firsts]
    # The running sum of each unit alone: what the units before it summed to is taken away.
    earlier = (total - change)[is_first][np.cumsum(is_first) - 1]
    begin = np.concatenate(starts)
    position, flat = position[firsts], flat[firsts]
    after = begin[flat] + total - earlier
    at_start = position == 0.0
    begin[flat[at_start]] = after[at_start]
    kept = np.flatnonzero((change != 0) & ~at_start & (position < 1.0))
    kept = kept[np.argsort(position[kept], kind="stable")]
    which = np.searchsorted(offsets, flat[kept], side="right") - 1
    return Net(
        position=position[kept],
        nonlinearity=which,
        unit=flat[kept] - offsets[which],
        before=(after - change)[kept],
        after=after[kept],
        start=tuple(np.split(begin, offsets[1:-1])),
    )


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
    for place, who, regime in zip(cell, unit, after, strict=True):
        delta[place, who] += regime - running[who]
        running[who] = regime
    return np.cumsum(delta, axis=0)
