"""What is read off polygons of half-edges, and rows of numbers at their vertices.

Numbers that are affine on every polygon need not be computed at a vertex that was put on an edge: there
they lie between those at the edge's ends. `interpolate` carries such numbers from the vertices where they
are known to others:

1. From each wanted vertex go down to the ends of its edge, their edges' ends, and so on, until everything met
   is known. Depth-first, so that a vertex is listed after those it lies between.
2. Give every listed vertex a row of the result; those that nobody wants stand behind.
3. Fill the rows in the order of the list.

What was seen is told by tokens: `seen[vertex] >= token` says so, and the next call takes larger tokens, so
that nothing is ever cleared.

Invariant: ends are older than what lies between them (`halfedges`), so the descent ends, at the latest with
the corners that were there first; these must be among the known.

Cost: time and memory for one row a listed vertex.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.halfedges import NEXT, ORIGIN, Mesh, with_room


@compiled
def cycles(polygons: np.ndarray, mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Polygons as a list of half-edges: these, where each polygon's start, and how many it has."""
    half, first = mesh.half, mesh.first
    starts, lengths = np.empty(len(polygons), dtype=np.int64), np.empty(len(polygons), dtype=np.int64)
    listed, count = np.empty(5 * len(polygons) + 16, dtype=np.int64), 0
    for index in range(len(polygons)):
        starts[index] = count
        here = start = first[polygons[index]]
        while True:
            listed = with_room(listed, count, 1)
            listed[count] = here
            count += 1
            here = half[here, NEXT]
            if here == start:
                break
        lengths[index] = count - starts[index]
    return listed[:count], starts, lengths


@compiled
def groups(
    polygons: np.ndarray, mesh: Mesh, most: int, seen: np.ndarray, token: int
) -> tuple[np.ndarray, int]:
    """Where groups of neighbours in a list of polygons end, none with more vertices than `most` unless one
    polygon alone has.

    Args:
        polygons: their numbers, neighbours close together.
        mesh: theirs.
        most: vertices of a group.
        seen: by vertex the last token; tokens from this one on are used.
        token: larger than any so far.

    Returns:
        The ends, and the next free token.
    """
    half, first = mesh.half, mesh.first
    stops, n_stops, n_vertices, members = np.empty(len(polygons), dtype=np.int64), 0, 0, 0
    for index in range(len(polygons)):
        # Twice at most: a polygon that does not fit is counted again as the first of the next group.
        for _ in range(2):
            here = start = first[polygons[index]]
            while True:
                vertex = half[here, ORIGIN]
                if seen[vertex] != token:
                    seen[vertex] = token
                    n_vertices += 1
                here = half[here, NEXT]
                if here == start:
                    break
            if n_vertices <= most or members == 0:
                break
            # It begins the next group: its vertices count anew.
            stops[n_stops] = index
            n_stops += 1
            token += 1
            n_vertices = members = 0
        members += 1
    stops[n_stops] = len(polygons)
    return stops[: n_stops + 1], token + 1


@compiled
def interpolate(
    rows: np.ndarray, known: np.ndarray, wanted: np.ndarray, mesh: Mesh, seen: np.ndarray, token: int
) -> np.ndarray:
    """What is affine on every polygon, given at some vertices, at others that were put between them.

    Args:
        rows: the values at the known vertices.
        known, wanted: vertices.
        mesh: theirs; `row_of` is overwritten.
        seen: by vertex the last token; this token and the next are used.
        token: larger than any so far.

    Returns:
        The values at the wanted vertices.
    """
    row_of, ends, spots = mesh.row_of, mesh.ends, mesh.spots
    for index in range(len(known)):
        seen[known[index]] = token
        row_of[known[index]] = index
    missing, count = _list_missing(wanted, ends, seen, token)
    # One table for all: the listed ones are needed while others are worked out, and cut off at the end.
    result = np.empty((len(wanted) + count, rows.shape[1]))
    # The missing ones that are wanted stand where they are wanted, the others after them.
    for index in range(count):
        row_of[missing[index]] = len(wanted) + index
    for index in range(len(wanted)):
        vertex = wanted[index]
        if seen[vertex] == token:
            for column in range(rows.shape[1]):
                result[index, column] = rows[row_of[vertex], column]
        else:
            row_of[vertex] = index
    for index in range(count):
        vertex = missing[index]
        start, end, share = ends[vertex, 0], ends[vertex, 1], spots[vertex, 2]
        # The token tells which table an end's row is in: a known one's is in `rows`, a listed one's here.
        left = rows[row_of[start]] if seen[start] == token else result[row_of[start]]
        right = rows[row_of[end]] if seen[end] == token else result[row_of[end]]
        row = result[row_of[vertex]]
        for column in range(rows.shape[1]):
            row[column] = (1.0 - share) * left[column] + share * right[column]
    return result[: len(wanted)]


@compiled
def _list_missing(
    wanted: np.ndarray, ends: np.ndarray, seen: np.ndarray, token: int
) -> tuple[np.ndarray, int]:
    """The vertices that are not known and that the wanted ones, these included, lie between.

    Args:
        wanted: vertices.
        ends: of the mesh.
        seen: `token` at the known vertices; `token + 1` is put at those listed.
        token: larger than any before it.

    Returns:
        A list, longer than needed, in which every vertex stands after the ends of its edge; how many are in.
    """
    missing, count = np.empty(len(wanted) + 16, dtype=np.int64), 0
    waiting = np.empty(64, dtype=np.int64)
    for index in range(len(wanted)):
        depth = 1
        waiting[0] = wanted[index]
        while depth:
            vertex = waiting[depth - 1]
            before = depth
            if seen[vertex] < token:
                waiting = with_room(waiting, depth, 2)
                for end in (ends[vertex, 0], ends[vertex, 1]):
                    if seen[end] < token:
                        waiting[depth] = end
                        depth += 1
            if depth > before:
                continue
            # Whatever it lies between is known or listed by now.
            depth -= 1
            # It may have been listed meanwhile: two that wait can lie between the same ones.
            if seen[vertex] < token:
                seen[vertex] = token + 1
                missing = with_room(missing, count, 1)
                missing[count] = vertex
                count += 1
    return missing, count


@compiled
def add_names(codes: np.ndarray, factors: np.ndarray, names: np.ndarray) -> None:
    """Adds to `names` (uint64) a number for each row of regimes: equal rows have equal ones.

    With random 64-bit factors, two different rows of one length have equal ones once in 2^48 times or less:
    regimes take less than 16 bits, so that a difference of theirs takes no more of a factor's bits away.
    """
    for row in range(codes.shape[0]):
        name = np.uint64(0)
        for unit in range(codes.shape[1]):
            # Modulo 2^64: unsigned integers wrap, in any order of the sum.
            name += np.uint64(codes[row, unit]) * factors[unit]
        names[row] += name


@compiled
def widest_triangles(
    members: np.ndarray, starts: np.ndarray, lengths: np.ndarray, places: np.ndarray, triangles: np.ndarray
) -> None:
    """Fills `triangles` with three vertices of each polygon that span it well: its first, the farthest from
    it, and the farthest from the line through both.
    """
    for polygon in range(len(starts)):
        start, stop = starts[polygon], starts[polygon] + lengths[polygon]
        corner = members[start]
        second, third, farthest = corner, corner, -1.0
        for index in range(start + 1, stop):
            vertex = members[index]
            # Squared: only the order matters.
            far = (places[vertex, 0] - places[corner, 0]) ** 2 + (places[vertex, 1] - places[corner, 1]) ** 2
            if far > farthest:
                second, farthest = vertex, far
        x, y, widest = places[second, 0] - places[corner, 0], places[second, 1] - places[corner, 1], -1.0
        for index in range(start + 1, stop):
            vertex = members[index]
            # Twice the area of the triangle, which grows with the distance from the line.
            wide = abs(
                x * (places[vertex, 1] - places[corner, 1]) - y * (places[vertex, 0] - places[corner, 0])
            )
            if wide > widest:
                third, widest = vertex, wide
        triangles[polygon, 0], triangles[polygon, 1], triangles[polygon, 2] = corner, second, third
