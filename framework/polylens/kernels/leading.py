"""In which windows no one element is the largest all over a polygon.

Elements are affine on a polygon, so that one leads all over it exactly if no other is larger at a vertex.

1. Start with the element that is the largest at the first vertex.
2. Find the first vertex at which another one is larger by more than the tolerance; of several the largest
   there is the rival. Without one, the leader leads everywhere, and the window is settled.
3. Where the leader is larger than the rival at some other vertex, the line on which both are equal cuts the
   polygon: the window is contested. Otherwise the rival takes its place, and step 2 is done again.

Invariant: whoever takes the lead is nowhere smaller than the one before and somewhere larger, by more than
the tolerance; so each element makes way at most once.

A line between two elements also cuts where a third one is larger: what lies on both sides then has one code,
and `geometry.joining` makes the pieces one again.

Cost: `corners * elements` a window, times the times the lead changes, mostly one.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_inline
from polylens.kernels.halfedges import Mesh, with_room
from polylens.kernels.outlines import Outline, read_rows


@compiled
def contested_windows(
    polygons: np.ndarray, mesh: Mesh, table: np.ndarray, windows: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The windows in which no element is the largest at all vertices of a polygon.

    Args:
        polygons: their numbers.
        mesh: gives their vertices rows in `table`.
        table: the elements at the vertices.
        windows: by window the columns of its elements; -1 where it has fewer.
        tolerance: within which two elements are equal.

    Returns:
        Where each polygon's windows start in a list, and the list.
    """
    starts = np.zeros(len(polygons) + 1, dtype=np.int64)
    listed, n_listed = np.empty(4 * len(polygons) + len(windows), dtype=np.int64), 0
    outline = Outline(np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64), np.empty(64), 0)
    for index in range(len(polygons)):
        # The rows are read once a polygon, and serve all windows.
        outline = read_rows(mesh, polygons[index], outline)
        listed = with_room(listed, n_listed, len(windows))
        for window in range(len(windows)):
            if contest(table, outline, windows[window], tolerance)[0] >= 0:
                listed[n_listed] = window
                n_listed += 1
        starts[index + 1] = n_listed
    return starts, listed[:n_listed]


@compiled
def contest(table: np.ndarray, outline: Outline, elements: np.ndarray, tolerance: float) -> tuple[int, int]:
    """Two elements of a window, each larger at some vertex of a polygon; -1 twice where one leads
    everywhere.
    """
    rows, count = outline.rows, outline.n_corners
    leader = -1
    # At -1 the window has fewer elements: in the padding, or at the border of an adaptive pooling.
    for element in elements:
        if element >= 0 and (leader < 0 or table[rows[0], element] > table[rows[0], leader]):
            leader = element
    # Each element makes way at most once, so that this many turns are enough.
    for _ in range(len(elements)):
        rival = -1
        for corner in range(count):
            for element in elements:
                if (
                    element >= 0
                    and table[rows[corner], element] > table[rows[corner], leader] + tolerance
                    and (rival < 0 or table[rows[corner], element] > table[rows[corner], rival])
                ):
                    rival = element
            if rival >= 0:
                break
        if rival < 0:
            return -1, -1
        # Where each is larger somewhere, the line between them crosses the polygon.
        for corner in range(count):
            if table[rows[corner], leader] > table[rows[corner], rival] + tolerance:
                return leader, rival
        # A rival that is nowhere smaller: the leader makes way for it.
        leader = rival
    return -1, -1


@compiled_inline
def drop_led_windows(
    table: np.ndarray,
    outline: Outline,
    pool: np.ndarray,
    bottom: int,
    top: int,
    windows: np.ndarray,
    tolerance: float,
) -> tuple[int, int, int]:
    """Takes windows off the top of the pool until one is contested in a polygon; that one stays.

    It may have to be cut again, by other pairs of its elements. What lies deeper is looked at when it is its
    turn, since a window costs more to look at than a unit.

    Args:
        table: the elements at the vertices.
        outline: the polygon's corners and their rows.
        pool: from `bottom` to `top` the polygon's windows.
        bottom, top: of the polygon's windows.
        windows: by window the columns of its elements; -1 where it has fewer.
        tolerance: within which two elements are equal.

    Returns:
        The new top, and two elements that the polygon is to be cut between; -1 twice where there are none,
        and the new top is the bottom.
    """
    while top > bottom:
        leader, rival = contest(table, outline, windows[pool[top - 1]], tolerance)
        if leader >= 0:
            return top, leader, rival
        # Led all over by one element: no part of the polygon is contested either.
        top -= 1
    return bottom, -1, -1
