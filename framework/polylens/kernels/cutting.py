"""Polygons cut along the lines where units pass their kinks."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.halfedges import NEXT, ORIGIN, around, split, with_lines, with_room

ABOVE, BELOW = 1, 2


@compiled
def sides(values: np.ndarray, kink: float, tolerance: float, found: np.ndarray) -> None:
    """Fills `found` (of uint8): ABOVE, BELOW, or 0 for what is within the tolerance of the kink."""
    high, low = kink + tolerance, kink - tolerance
    for row in range(values.shape[0]):
        for unit in range(values.shape[1]):
            value = values[row, unit]
            found[row, unit] = ABOVE * (value > high) + BELOW * (value < low)


@compiled
def cutting_units(
    polygons: np.ndarray, half: np.ndarray, first: np.ndarray, row_of: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The units that have vertices of a polygon on both sides: where each polygon's start in a list, and the
    list.

    Args:
        polygons: their numbers.
        half, first: see `halfedges`.
        row_of: by vertex its row in `seen`.
        seen: of every unit, as `sides` gives it.
    """
    units = seen.shape[1]
    starts = np.zeros(len(polygons) + 1, dtype=np.int64)
    listed = np.empty(4 * len(polygons) + units, dtype=np.int64)
    both, n_listed = np.empty(units, dtype=np.uint8), 0
    for place in range(len(polygons)):
        for unit in range(units):
            both[unit] = 0
        start = first[polygons[place]]
        here = start
        while True:
            row = row_of[half[here, ORIGIN]]
            for unit in range(units):
                both[unit] |= seen[row, unit]
            here = half[here, NEXT]
            if here == start:
                break
        listed = with_room(listed, n_listed, units)
        for unit in range(units):
            if both[unit] == ABOVE | BELOW:
                listed[n_listed] = unit
                n_listed += 1
        starts[place + 1] = n_listed
    return starts, listed[:n_listed]


@compiled
def cut_by_lines(
    polygons: np.ndarray,
    starts: np.ndarray,
    listed: np.ndarray,
    values: np.ndarray,
    n_rows: int,
    most_rows: int,
    kink: float,
    tolerance: float,
    half: np.ndarray,
    spots: np.ndarray,
    ends: np.ndarray,
    first: np.ndarray,
    row_of: np.ndarray,
    counts: np.ndarray,
) -> tuple[np.ndarray, bool, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cuts polygons along the lines of their units, one polygon after the other and depth-first.

    Args:
        polygons: their numbers.
        starts, listed: the units of each, as `cutting_units` gives them, numbered by the columns of `values`.
        values: of these units at the vertices; rows beyond `n_rows` are free, and longer copies are made.
        n_rows: how many are there.
        most_rows: beyond so many nothing more is cut.
        kink, tolerance: where the line of a unit is.
        half, spots, ends, first, row_of, counts: see `halfedges`; `row_of` by vertex its row in `values`.

    Returns:
        The polygons that there are now, neighbours close together, each with its place among those that were
        given; whether everything is cut; the arrays
        `half`, `spots`, `ends`, `first` and `row_of`, longer where there was no room.
    """
    made, n_made, complete = np.empty((2 * len(polygons) + 16, 2), dtype=np.int64), 0, True
    waiting, pool = np.empty((64, 2), dtype=np.int64), np.empty(1024, dtype=np.int64)
    ring, along = np.empty(64, dtype=np.int64), np.empty(64)
    rows = np.empty(64, dtype=np.int64)
    for place in range(len(polygons)):
        n_units = starts[place + 1] - starts[place]
        pool = with_room(pool, 0, n_units)
        for item in range(n_units):
            pool[item] = listed[starts[place] + item]
        waiting[0, 0], waiting[0, 1], depth, top = polygons[place], 0, 1, n_units
        while depth:
            depth -= 1
            polygon, bottom = waiting[depth, 0], waiting[depth, 1]
            kept = bottom
            if n_rows + 2 > most_rows:
                complete = complete and top == bottom
            elif top > bottom:
                ring, count = around(half, first[polygon], ring)
                along, rows = with_room(along, 0, count), with_room(rows, 0, count)
                for corner in range(count):
                    rows[corner] = row_of[half[ring[corner], ORIGIN]]
                for item in range(bottom, top):
                    unit = pool[item]
                    high = low = values[rows[0], unit]
                    for corner in range(1, count):
                        high = max(high, values[rows[corner], unit])
                        low = min(low, values[rows[corner], unit])
                    if low - kink < -tolerance and high - kink > tolerance:
                        pool[kept] = unit
                        kept += 1
            top = bottom
            if kept == bottom:
                made = with_lines(made, n_made, 1)
                made[n_made, 0], made[n_made, 1] = polygon, place
                n_made += 1
                continue
            kept -= 1
            unit = pool[kept]
            for corner in range(count):
                along[corner] = values[rows[corner], unit] - kink
            spots, ends = with_lines(spots, counts[0], 2), with_lines(ends, counts[0], 2)
            row_of = with_room(row_of, counts[0], 2)
            half, first = with_lines(half, counts[1], 6), with_room(first, counts[2], 1)
            values = with_lines(values, n_rows, 2)
            below, one, other = split(half, spots, ends, first, counts, ring, along, count, tolerance)
            for vertex in (one, other):
                if vertex >= 0:
                    between(
                        values, n_rows, row_of[ends[vertex, 0]], row_of[ends[vertex, 1]], spots[vertex, 2]
                    )
                    values[n_rows, unit] = kink
                    row_of[vertex] = n_rows
                    n_rows += 1
            more = kept - bottom
            pool = with_room(pool, kept, more)
            for item in range(more):
                pool[kept + item] = pool[bottom + item]
            waiting = with_lines(waiting, depth, 2)
            waiting[depth, 0], waiting[depth, 1] = polygon, bottom
            waiting[depth + 1, 0], waiting[depth + 1, 1] = below, kept
            depth += 2
            top = kept + more
    return made[:n_made], complete, half, spots, ends, first, row_of


@compiled
def between(values: np.ndarray, row: int, one: int, other: int, share: float) -> None:
    """Fills a row with what lies between two others."""
    for column in range(values.shape[1]):
        values[row, column] = (1.0 - share) * values[one, column] + share * values[other, column]
