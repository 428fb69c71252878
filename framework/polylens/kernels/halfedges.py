"""A subdivided polygon as half-edges, which cuts change in place.

Every edge between two polygons is two half-edges, one of each; an edge at the border is one. `Mesh` says what
is known of each half-edge, polygon and vertex.

1. A vertex is put on an edge for both polygons at once (`put_vertex`): neighbours never disagree about where
   their common edge is broken, and no crack opens.
2. A convex polygon is split where a function that is affine on it is zero (`split`): one vertex is put where
   the line is met on the way down from the highest corner, one on the way up from the lowest, and a new edge
   joins the two.
3. Arrays have room after what is there and are exchanged for longer ones, twice the size, when it ends.

Invariants: following NEXT from a half-edge leads round its polygon and back, always in one sense of
rotation; TWIN of TWIN is the half-edge itself; both ends of the edge that a vertex was put on are older
than the vertex. Polygons stay convex, for a line cuts them.

Cost: a split takes time in proportion to the polygon's corners; memory for 4 numbers a half-edge and 6 a
vertex.

Source: de Berg, Cheong, van Kreveld, Overmars 2008, "Computational Geometry", section 2.2, the
doubly-connected edge list.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polylens.kernels.compiling import compiled, compiled_inline

NEXT, ORIGIN, TWIN, POLYGON = 0, 1, 2, 3
"""Columns of `Mesh.half`."""
OLD_VERTEX = -1
"""In place of the vertex that was put: the line goes through one that is there."""


class Mesh(NamedTuple):
    """A subdivided polygon. The arrays are longer than what `counts` says they hold."""

    half: np.ndarray
    """`half-edges 4`, int64: the next one around its polygon, the vertex that it starts from, the other half
    of its edge (-1 at the border) and its polygon."""
    first: np.ndarray
    """`polygons`, int64: one half-edge of each."""
    spots: np.ndarray
    """`vertices 3`, float64: two coordinates, and the share of its edge, from 0 to 1, at which it was put."""
    ends: np.ndarray
    """`vertices 2`, int64: the ends of that edge, older vertices both (the vertex itself where it was there
    first)."""
    row_of: np.ndarray
    """`vertices`, int64: the row of each in the table that is worked on; means nothing between two calls."""
    counts: np.ndarray
    """`3`, int64: how many vertices, half-edges and polygons there are; updated in place."""


@compiled
def with_room(array: np.ndarray, used: int, more: int) -> np.ndarray:
    """A list, or a longer copy of it where it has no room for `more` entries after the `used` first ones."""
    if used + more <= len(array):
        return array
    longer = np.empty(2 * (used + more), dtype=array.dtype)
    # Loops, since copies of slices bring along messages that take a second to compile.
    for index in range(used):
        longer[index] = array[index]
    return longer


@compiled
def with_lines(table: np.ndarray, used: int, more: int) -> np.ndarray:
    """A table, or a longer copy of it where it has no room for `more` lines after the `used` first ones."""
    if used + more <= len(table):
        return table
    longer = np.empty((2 * (used + more), table.shape[1]), dtype=table.dtype)
    for line in range(used):
        for column in range(table.shape[1]):
            longer[line, column] = table[line, column]
    return longer


@compiled_inline
def has_room_to_split(mesh: Mesh) -> bool:
    """Whether there is room for what one split adds at most: two vertices, six half-edges and a polygon."""
    vertices, half_edges, polygons = mesh.counts[0], mesh.counts[1], mesh.counts[2]
    return bool(
        vertices + 2 <= len(mesh.spots)
        and vertices + 2 <= len(mesh.ends)
        and vertices + 2 <= len(mesh.row_of)
        and half_edges + 6 <= len(mesh.half)
        and polygons + 1 <= len(mesh.first)
    )


@compiled_inline
def with_room_to_split(mesh: Mesh) -> Mesh:
    """The mesh, or one of longer arrays, with room for what one split adds at most: two vertices, six
    half-edges and a polygon.
    """
    vertices, half_edges, polygons = mesh.counts[0], mesh.counts[1], mesh.counts[2]
    return Mesh(
        with_lines(mesh.half, half_edges, 6),
        with_room(mesh.first, polygons, 1),
        with_lines(mesh.spots, vertices, 2),
        with_lines(mesh.ends, vertices, 2),
        with_room(mesh.row_of, vertices, 2),
        mesh.counts,
    )


@compiled_inline
def list_around(half: np.ndarray, start: int, border: np.ndarray) -> tuple[np.ndarray, int]:
    """The half-edges of a polygon in order: in `border`, or in something longer; and how many they are."""
    count, here = 0, start
    while True:
        # How many corners there are is known only when all are gone round.
        if count == len(border):
            border = with_room(border, count, count)
        border[count] = here
        count += 1
        here = half[here, NEXT]
        if here == start:
            return border, count


@compiled_inline
def put_vertex(mesh: Mesh, edge: int, share: float) -> int:
    """Puts a vertex on an edge, for both polygons: a new half-edge from it follows `edge`.

    Args:
        mesh: with room.
        edge: a half-edge.
        share: how far from its start to its end, from 0 to 1.

    Returns:
        The vertex.
    """
    half, spots, ends, counts = mesh.half, mesh.spots, mesh.ends, mesh.counts
    start, after = half[edge, ORIGIN], half[edge, NEXT]
    end, twin = half[after, ORIGIN], half[edge, TWIN]
    vertex, rest = counts[0], counts[1]
    counts[0] += 1
    counts[1] += 1
    ends[vertex, 0], ends[vertex, 1] = start, end
    # A weighted mean, not start + share * way: at a share of 1 it is the end itself, to the last bit.
    for axis in range(2):
        spots[vertex, axis] = (1.0 - share) * spots[start, axis] + share * spots[end, axis]
    spots[vertex, 2] = share
    # `edge` keeps its start and ends at the vertex; `rest` goes on from there to where `edge` ended.
    half[rest, NEXT], half[rest, ORIGIN] = after, vertex
    half[rest, TWIN], half[rest, POLYGON] = twin, half[edge, POLYGON]
    half[edge, NEXT] = rest
    if twin >= 0:
        # The neighbour goes the other way: its half ends at the vertex now, and a new one goes on from there.
        back = counts[1]
        counts[1] += 1
        half[back, NEXT], half[back, ORIGIN] = half[twin, NEXT], vertex
        half[back, TWIN], half[back, POLYGON] = edge, half[twin, POLYGON]
        half[twin, NEXT], half[twin, TWIN] = back, rest
        half[edge, TWIN] = back
    return int(vertex)


@compiled_inline
def split(
    mesh: Mesh, border: np.ndarray, heights: np.ndarray, count: int, tolerance: float
) -> tuple[int, int, int]:
    """Splits a polygon where an affine function is zero: what is above keeps its number.

    Args:
        mesh: with room (`with_room_to_split`).
        border: the polygon's half-edges in order.
        heights: of the function where each of them starts; beyond the tolerance on both sides.
        count: how many they are.
        tolerance: within which a vertex is on the line.

    Returns:
        The polygon below, and the two vertices that were put, OLD_VERTEX where one is on the line already.
    """
    half, first, counts = mesh.half, mesh.first, mesh.counts
    # From the farthest corners: no other one is so surely on its side of the line.
    highest = lowest = 0
    for corner in range(1, count):
        if heights[corner] > heights[highest]:
            highest = corner
        if heights[corner] < heights[lowest]:
            lowest = corner
    # The second crossing is on another edge than the first, so that `border` still holds for it.
    to_down, from_down, down = _cross(mesh, border, heights, count, highest, 1.0, tolerance)
    to_up, from_up, up = _cross(mesh, border, heights, count, lowest, -1.0, tolerance)
    above, below = half[from_down, POLYGON], counts[2]
    counts[2] += 1
    # The new edge: its upper half closes what is above, its lower half what is below.
    upper, lower = counts[1], counts[1] + 1
    counts[1] += 2
    half[upper, NEXT], half[upper, ORIGIN], half[upper, TWIN] = from_up, half[from_down, ORIGIN], lower
    half[lower, NEXT], half[lower, ORIGIN], half[lower, TWIN] = from_down, half[from_up, ORIGIN], upper
    half[upper, POLYGON] = above
    half[to_down, NEXT], half[to_up, NEXT] = upper, lower
    # The old first half-edge may belong to the other half now; the new edge has one in each.
    first[above], first[below] = upper, lower
    # Only what is below changes its number: that is why what is above keeps it.
    here = lower
    while True:
        half[here, POLYGON] = below
        here = half[here, NEXT]
        if here == lower:
            return below, down, up


@compiled_inline
def _cross(
    mesh: Mesh,
    border: np.ndarray,
    heights: np.ndarray,
    count: int,
    corner: int,
    sign: float,
    tolerance: float,
) -> tuple[int, int, int]:
    """Goes round a polygon from a corner on one side of the line to where it is met, and puts a vertex there.

    Args:
        mesh, border, heights, count, tolerance: see `split`.
        corner: index in `border` where to start.
        sign: 1 if that corner is above the line, -1 if it is below.

    Returns:
        The half-edge to the line and the one from it; and the vertex that was put, or OLD_VERTEX.
    """
    while sign * heights[(corner + 1) % count] > tolerance:
        corner = (corner + 1) % count
    after = (corner + 1) % count
    edge = border[corner]
    # A corner within the tolerance is on the line: no second vertex is put beside it.
    if sign * heights[after] >= -tolerance:
        return edge, border[after], OLD_VERTEX
    share = heights[corner] / (heights[corner] - heights[after])
    vertex = put_vertex(mesh, edge, share)
    return edge, mesh.half[edge, NEXT], vertex
