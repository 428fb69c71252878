"""Polygons cut where a window changes its winner."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.cutting import between
from polylens.kernels.halfedges import ORIGIN, around, split, with_lines, with_room


@compiled
def contested_windows(
    polygons: np.ndarray,
    half: np.ndarray,
    first: np.ndarray,
    row_of: np.ndarray,
    values: np.ndarray,
    windows: np.ndarray,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The windows in which no element is the largest at all vertices of a polygon: where each polygon's
    start in a list, and the list.

    Args:
        polygons, half, first, row_of: see `cut_by_lines`.
        values: the elements at the vertices.
        windows: by window the columns of its elements; -1 where it has fewer.
        tolerance: within which two elements are equal.
    """
    starts = np.zeros(len(polygons) + 1, dtype=np.int64)
    listed, n_listed = np.empty(4 * len(polygons) + len(windows), dtype=np.int64), 0
    ring, rows = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    for place in range(len(polygons)):
        ring, count = around(half, first[polygons[place]], ring)
        rows = with_room(rows, 0, count)
        for corner in range(count):
            rows[corner] = row_of[half[ring[corner], ORIGIN]]
        listed = with_room(listed, n_listed, len(windows))
        for window in range(len(windows)):
            if contested(values, rows, count, windows[window], tolerance)[0] >= 0:
                listed[n_listed] = window
                n_listed += 1
        starts[place + 1] = n_listed
    return starts, listed[:n_listed]


@compiled
def contested(
    values: np.ndarray, rows: np.ndarray, count: int, elements: np.ndarray, tolerance: float
) -> tuple[int, int]:
    """Two elements of a window, each larger at some vertex; -1 twice where one leads everywhere."""
    one = -1
    for element in elements:
        if element >= 0 and (one < 0 or values[rows[0], element] > values[rows[0], one]):
            one = element
    # Who is passed by a rival that is nowhere smaller makes way for it, at most once for every element.
    for _ in range(len(elements)):
        other, at = -1, 0
        for corner in range(count):
            for element in elements:
                if element >= 0 and values[rows[corner], element] > values[rows[corner], one] + tolerance:
                    larger = other < 0 or (
                        at == corner and values[rows[corner], element] > values[rows[corner], other]
                    )
                    if larger:
                        other, at = element, corner
            if other >= 0:
                break
        if other < 0:
            return -1, -1
        for corner in range(count):
            if values[rows[corner], one] > values[rows[corner], other] + tolerance:
                return one, other
        one = other
    return -1, -1


@compiled
def cut_by_leaders(
    polygons: np.ndarray,
    starts: np.ndarray,
    listed: np.ndarray,
    windows: np.ndarray,
    values: np.ndarray,
    n_rows: int,
    most_rows: int,
    tolerance: float,
    half: np.ndarray,
    spots: np.ndarray,
    ends: np.ndarray,
    first: np.ndarray,
    row_of: np.ndarray,
    counts: np.ndarray,
) -> tuple[np.ndarray, bool, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cuts polygons until in each of them one element of every window is the largest at all vertices.

    A line between two elements also cuts where a third one is larger: what lies on both sides then has one
    code.

    Args:
        polygons, values, n_rows, most_rows, tolerance, half, spots, ends, first, row_of, counts: see
            `cut_by_lines`.
        starts, listed: the contested windows of each polygon.
        windows: by window the columns of its elements; -1 where it has fewer.

    Returns:
        As `cut_by_lines`.
    """
    made, n_made, complete = np.empty((2 * len(polygons) + 16, 2), dtype=np.int64), 0, True
    waiting, pool = np.empty((64, 2), dtype=np.int64), np.empty(1024, dtype=np.int64)
    ring, along = np.empty(64, dtype=np.int64), np.empty(64)
    rows = np.empty(64, dtype=np.int64)
    for place in range(len(polygons)):
        n_windows = starts[place + 1] - starts[place]
        pool = with_room(pool, 0, n_windows)
        for item in range(n_windows):
            pool[item] = listed[starts[place] + item]
        waiting[0, 0], waiting[0, 1], depth, top = polygons[place], 0, 1, n_windows
        while depth:
            depth -= 1
            polygon, bottom = waiting[depth, 0], waiting[depth, 1]
            one = other = -1
            if n_rows + 2 > most_rows:
                complete = complete and top == bottom
                top = bottom
            elif top > bottom:
                ring, count = around(half, first[polygon], ring)
                along, rows = with_room(along, 0, count), with_room(rows, 0, count)
                for corner in range(count):
                    rows[corner] = row_of[half[ring[corner], ORIGIN]]
                while top > bottom:
                    one, other = contested(values, rows, count, windows[pool[top - 1]], tolerance)
                    if one >= 0:
                        break
                    top -= 1
            if one < 0:
                made = with_lines(made, n_made, 1)
                made[n_made, 0], made[n_made, 1] = polygon, place
                n_made += 1
                continue
            for corner in range(count):
                along[corner] = values[rows[corner], one] - values[rows[corner], other]
            spots, ends = with_lines(spots, counts[0], 2), with_lines(ends, counts[0], 2)
            row_of = with_room(row_of, counts[0], 2)
            half, first = with_lines(half, counts[1], 6), with_room(first, counts[2], 1)
            values = with_lines(values, n_rows, 2)
            below, left, right = split(half, spots, ends, first, counts, ring, along, count, tolerance)
            for vertex in (left, right):
                if vertex >= 0:
                    between(
                        values, n_rows, row_of[ends[vertex, 0]], row_of[ends[vertex, 1]], spots[vertex, 2]
                    )
                    values[n_rows, other] = values[n_rows, one]
                    row_of[vertex] = n_rows
                    n_rows += 1
            more = top - bottom
            pool = with_room(pool, top, more)
            for item in range(more):
                pool[top + item] = pool[bottom + item]
            waiting = with_lines(waiting, depth, 2)
            waiting[depth, 0], waiting[depth, 1] = polygon, bottom
            waiting[depth + 1, 0], waiting[depth + 1, 1] = below, top
            depth += 2
            top += more
    return made[:n_made], complete, half, spots, ends, first, row_of
