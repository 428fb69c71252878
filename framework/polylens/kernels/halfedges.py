"""A subdivided polygon as half-edges, which cuts change in place.

Every edge between two polygons is two half-edges, one of each; an edge at the border is one. The arrays:

- `half`: by half-edge the next one around its polygon, the vertex that it starts from, the other half of its
  edge (-1 at the border) and its polygon;
- `first`: by polygon one of its half-edges;
- `spots`: by vertex its two coordinates, and how far along its edge it was put;
- `ends`: by vertex the ends of that edge, older vertices both (the vertex itself where it was there first);
- `counts`: how many vertices, half-edges and polygons there are; the arrays are longer.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled

NEXT, ORIGIN, TWIN, POLYGON = 0, 1, 2, 3


@compiled
def with_room(array: np.ndarray, used: int, more: int) -> np.ndarray:
    """A list, or a longer copy of it where it has no room for `more` entries after the `used` first ones."""
    if used + more <= len(array):
        return array
    longer = np.empty(2 * (used + more), dtype=array.dtype)
    # Loops, since copies of slices bring along messages that take a second to compile.
    for place in range(used):
        longer[place] = array[place]
    return longer


@compiled
def with_lines(table: np.ndarray, used: int, more: int) -> np.ndarray:
    """A table, or a longer copy of it where it has no room for `more` lines after the `used` first ones."""
    if used + more <= len(table):
        return table
    longer = np.empty((2 * (used + more), table.shape[1]), dtype=table.dtype)
    for place in range(used):
        for column in range(table.shape[1]):
            longer[place, column] = table[place, column]
    return longer


@compiled
def around(half: np.ndarray, start: int, found: np.ndarray) -> tuple[np.ndarray, int]:
    """The half-edges of a polygon in order: in `found`, or in something longer; and how many they are."""
    count, here = 0, start
    while True:
        if count == len(found):
            found = with_room(found, count, count)
        found[count] = here
        count += 1
        here = half[here, NEXT]
        if here == start:
            return found, count


@compiled
def put_vertex(
    half: np.ndarray, spots: np.ndarray, ends: np.ndarray, counts: np.ndarray, edge: int, share: float
) -> int:
    """Puts a vertex on an edge, for both polygons: a new half-edge from it follows `edge`."""
    one, after = half[edge, ORIGIN], half[edge, NEXT]
    other, twin = half[after, ORIGIN], half[edge, TWIN]
    vertex, rest = counts[0], counts[1]
    counts[0] += 1
    counts[1] += 1
    ends[vertex, 0], ends[vertex, 1] = one, other
    for axis in range(2):
        spots[vertex, axis] = (1.0 - share) * spots[one, axis] + share * spots[other, axis]
    spots[vertex, 2] = share
    half[rest, NEXT], half[rest, ORIGIN] = after, vertex
    half[rest, TWIN], half[rest, POLYGON] = twin, half[edge, POLYGON]
    half[edge, NEXT] = rest
    if twin >= 0:
        back = counts[1]
        counts[1] += 1
        half[back, NEXT], half[back, ORIGIN] = half[twin, NEXT], vertex
        half[back, TWIN], half[back, POLYGON] = edge, half[twin, POLYGON]
        half[twin, NEXT], half[twin, TWIN] = back, rest
        half[edge, TWIN] = back
    return int(vertex)


@compiled
def split(
    half: np.ndarray,
    spots: np.ndarray,
    ends: np.ndarray,
    first: np.ndarray,
    counts: np.ndarray,
    ring: np.ndarray,
    values: np.ndarray,
    count: int,
    tolerance: float,
) -> tuple[int, int, int]:
    """Splits a polygon where a function is zero: what is above keeps its number.

    Args:
        half, spots, ends, first, counts: with room for two vertices, six half-edges and a polygon.
        ring: the polygon's half-edges in order.
        values: of the function where each of them starts; beyond the tolerance on both sides.
        count: how many they are.
        tolerance: within which a vertex is on the line.

    Returns:
        The polygon below, and the two vertices that were put; -1 where an old one is on the line.
    """
    highest = lowest = 0
    for place in range(1, count):
        if values[place] > values[highest]:
            highest = place
        if values[place] < values[lowest]:
            lowest = place
    before_down, down, one = _pass(half, spots, ends, counts, ring, values, count, highest, 1.0, tolerance)
    before_up, up, other = _pass(half, spots, ends, counts, ring, values, count, lowest, -1.0, tolerance)
    polygon, below = half[down, POLYGON], counts[2]
    counts[2] += 1
    along, back = counts[1], counts[1] + 1
    counts[1] += 2
    half[along, NEXT], half[along, ORIGIN], half[along, TWIN] = up, half[down, ORIGIN], back
    half[back, NEXT], half[back, ORIGIN], half[back, TWIN] = down, half[up, ORIGIN], along
    half[along, POLYGON] = polygon
    half[before_down, NEXT], half[before_up, NEXT] = along, back
    first[polygon], first[below] = along, back
    here = back
    while True:
        half[here, POLYGON] = below
        here = half[here, NEXT]
        if here == back:
            return below, one, other


@compiled
def _pass(
    half: np.ndarray,
    spots: np.ndarray,
    ends: np.ndarray,
    counts: np.ndarray,
    ring: np.ndarray,
    values: np.ndarray,
    count: int,
    place: int,
    sign: float,
    tolerance: float,
) -> tuple[int, int, int]:
    """Where the line is met on the way from a place on one side of it.

    Returns:
        The half-edge to the line and the one from it; and the vertex that was put, or -1.
    """
    while sign * values[(place + 1) % count] > tolerance:
        place = (place + 1) % count
    after = (place + 1) % count
    edge = ring[place]
    if sign * values[after] >= -tolerance:
        return edge, ring[after], -1
    share = values[place] / (values[place] - values[after])
    vertex = put_vertex(half, spots, ends, counts, edge, share)
    return edge, half[edge, NEXT], vertex
