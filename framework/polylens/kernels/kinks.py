"""Which units pass their kink inside a polygon.

A unit is affine on a polygon, so that it passes its kink inside exactly if it is above it at one vertex and
below it at another; what is within the tolerance is on neither side.

1. `fill_sides` writes, for a block of units, on which side each vertex is: one byte a number.
2. `crossing_units` takes the union of the sides over each polygon's vertices, and lists the units with both.
3. While polygons are cut (`cutting`), `keep_cutting_units` looks again which of them cut what is left.

Cost: one byte operation for each unit and corner; memory for the bytes, and for the list.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_inline
from polylens.kernels.halfedges import NEXT, ORIGIN, Mesh, with_room
from polylens.kernels.outlines import Outline

ABOVE, BELOW = 1, 2
"""Bits of a side: a byte may hold both."""


@compiled
def fill_sides(values: np.ndarray, kink: float, tolerance: float, sides: np.ndarray) -> None:
    """Fills `sides` (uint8, as `values`) with ABOVE, BELOW, or 0 for what is within the tolerance of the
    kink.
    """
    high, low = kink + tolerance, kink - tolerance
    for row in range(values.shape[0]):
        for unit in range(values.shape[1]):
            value = values[row, unit]
            # Without a branch, so that it becomes vector code.
            sides[row, unit] = ABOVE * (value > high) + BELOW * (value < low)


@compiled
def crossing_units(polygons: np.ndarray, mesh: Mesh, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The units that have vertices of a polygon on both sides.

    Args:
        polygons: their numbers.
        mesh: gives their vertices rows in `sides`.
        sides: of every unit, as `fill_sides` gives them.

    Returns:
        Where each polygon's units start in a list, and the list.
    """
    half, first, row_of, units = mesh.half, mesh.first, mesh.row_of, sides.shape[1]
    starts = np.zeros(len(polygons) + 1, dtype=np.int64)
    # Room for a few units a polygon; `with_room` below makes more where a polygon has more.
    listed = np.empty(4 * len(polygons) + units, dtype=np.int64)
    union, n_listed = np.empty(units, dtype=np.uint8), 0
    for index in range(len(polygons)):
        for unit in range(units):
            union[unit] = 0
        start = first[polygons[index]]
        here = start
        while True:
            row = row_of[half[here, ORIGIN]]
            # A byte a unit: the union over a corner is vector code of as many units as a register has bytes.
            for unit in range(units):
                union[unit] |= sides[row, unit]
            here = half[here, NEXT]
            if here == start:
                break
        listed = with_room(listed, n_listed, units)
        # Rising, so that a polygon's units stand in the order of the network.
        for unit in range(units):
            if union[unit] == ABOVE | BELOW:
                listed[n_listed] = unit
                n_listed += 1
        starts[index + 1] = n_listed
    return starts, listed[:n_listed]


@compiled_inline
def keep_cutting_units(
    table: np.ndarray,
    outline: Outline,
    pool: np.ndarray,
    bottom: int,
    top: int,
    kink: float,
    tolerance: float,
) -> tuple[int, int]:
    """Takes out of the pool the units that do not cut a polygon any more, and the one to cut it by next.

    Args:
        table: the units at the vertices.
        outline: the polygon's corners and their rows.
        pool: from `bottom` to `top` the polygon's units; those left are moved down.
        bottom, top: of the polygon's units.
        kink: of every unit.
        tolerance: within which a vertex is on the line.

    Returns:
        The new top, and the unit to cut by; -1 where there is none, and the new top is the bottom.
    """
    rows, count, kept = outline.rows, outline.n_corners, bottom
    for item in range(bottom, top):
        # What one half of a polygon has on one side only cuts none of that half's pieces either.
        unit = pool[item]
        high = low = table[rows[0], unit]
        for corner in range(1, count):
            high = max(high, table[rows[corner], unit])
            low = min(low, table[rows[corner], unit])
        # As `split` compares heights, so that a polygon that is to be split can be.
        if low - kink < -tolerance and high - kink > tolerance:
            pool[kept] = unit
            kept += 1
    if kept == bottom:
        return bottom, -1
    # The last one: it is done with for both halves, and leaves the pool without a gap.
    return kept - 1, pool[kept - 1]
