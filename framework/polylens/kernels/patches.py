"""What is read off polygons of half-edges, and rows of numbers at their vertices."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.halfedges import NEXT, ORIGIN, with_room


@compiled
def cycles(
    polygons: np.ndarray, half: np.ndarray, first: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Polygons as a list of half-edges: these, where each polygon's start, and how many it has."""
    starts, lengths = np.empty(len(polygons), dtype=np.int64), np.empty(len(polygons), dtype=np.int64)
    listed, count = np.empty(5 * len(polygons) + 16, dtype=np.int64), 0
    for place in range(len(polygons)):
        starts[place] = count
        here = start = first[polygons[place]]
        while True:
            listed = with_room(listed, count, 1)
            listed[count] = here
            count += 1
            here = half[here, NEXT]
            if here == start:
                break
        lengths[place] = count - starts[place]
    return listed[:count], starts, lengths


@compiled
def groups(
    polygons: np.ndarray, half: np.ndarray, first: np.ndarray, most: int, seen: np.ndarray, token: int
) -> tuple[np.ndarray, int]:
    """Where groups of neighbours in a list of polygons end, none with more vertices than `most` unless one
    polygon alone has.

    Args:
        polygons, half, first: see `halfedges`.
        most: vertices of a group.
        seen: by vertex the last token; tokens from this one on are used.
        token: larger than any so far.

    Returns:
        The ends, and the next free token.
    """
    found, n_found, count, members = np.empty(len(polygons), dtype=np.int64), 0, 0, 0
    for place in range(len(polygons)):
        for _ in range(2):
            here = start = first[polygons[place]]
            while True:
                vertex = half[here, ORIGIN]
                if seen[vertex] != token:
                    seen[vertex] = token
                    count += 1
                here = half[here, NEXT]
                if here == start:
                    break
            if count <= most or members == 0:
                break
            # It begins the next group: its vertices count anew.
            found[n_found] = place
            n_found += 1
            token += 1
            count = members = 0
        members += 1
    found[n_found] = len(polygons)
    return found[: n_found + 1], token + 1


@compiled
def carried(
    rows: np.ndarray,
    known: np.ndarray,
    wanted: np.ndarray,
    spots: np.ndarray,
    ends: np.ndarray,
    row_of: np.ndarray,
    seen: np.ndarray,
    token: int,
) -> np.ndarray:
    """What is affine on every polygon, given at some vertices, at others that were put between them.

    Args:
        rows: the values at the known vertices.
        known, wanted: vertices.
        spots, ends: see `halfedges`.
        row_of: by vertex, overwritten.
        seen: by vertex the last token; this token and the next are used.
        token: larger than any so far.

    Returns:
        The values at the wanted vertices.
    """
    for place in range(len(known)):
        seen[known[place]] = token
        row_of[known[place]] = place
    missing, count = np.empty(len(wanted) + 16, dtype=np.int64), 0
    waiting = np.empty(64, dtype=np.int64)
    for place in range(len(wanted)):
        depth = 1
        waiting[0] = wanted[place]
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
            if seen[vertex] < token:
                seen[vertex] = token + 1
                missing = with_room(missing, count, 1)
                missing[count] = vertex
                count += 1
    found = np.empty((len(wanted) + count, rows.shape[1]))
    # The missing ones that are wanted stand where they are wanted, the others after them.
    for place in range(count):
        row_of[missing[place]] = len(wanted) + place
    for place in range(len(wanted)):
        vertex = wanted[place]
        if seen[vertex] == token:
            for column in range(rows.shape[1]):
                found[place, column] = rows[row_of[vertex], column]
        else:
            row_of[vertex] = place
    for place in range(count):
        vertex = missing[place]
        one, other, share = ends[vertex, 0], ends[vertex, 1], spots[vertex, 2]
        left = rows[row_of[one]] if seen[one] == token else found[row_of[one]]
        right = rows[row_of[other]] if seen[other] == token else found[row_of[other]]
        row = found[row_of[vertex]]
        for column in range(rows.shape[1]):
            row[column] = (1.0 - share) * left[column] + share * right[column]
    return found[: len(wanted)]


@compiled
def names(codes: np.ndarray, factors: np.ndarray, found: np.ndarray) -> None:
    """Adds to `found` (uint64) a number for each row of regimes: equal rows have equal ones.

    With random 64-bit factors, two different rows of one length have equal ones once in 2^48 times or less.
    """
    for row in range(codes.shape[0]):
        name = np.uint64(0)
        for unit in range(codes.shape[1]):
            name += np.uint64(codes[row, unit]) * factors[unit]
        found[row] += name


@compiled
def widest_triangles(
    members: np.ndarray, starts: np.ndarray, lengths: np.ndarray, places: np.ndarray, found: np.ndarray
) -> None:
    """Fills `found` with three vertices of each polygon that span it well: its first, the farthest from it,
    and the farthest from the line through both.
    """
    for polygon in range(len(starts)):
        start, end = starts[polygon], starts[polygon] + lengths[polygon]
        one = members[start]
        other, third, farthest = one, one, -1.0
        for place in range(start + 1, end):
            vertex = members[place]
            far = (places[vertex, 0] - places[one, 0]) ** 2 + (places[vertex, 1] - places[one, 1]) ** 2
            if far > farthest:
                other, farthest = vertex, far
        x, y, widest = places[other, 0] - places[one, 0], places[other, 1] - places[one, 1], -1.0
        for place in range(start + 1, end):
            vertex = members[place]
            wide = abs(x * (places[vertex, 1] - places[one, 1]) - y * (places[vertex, 0] - places[one, 0]))
            if wide > widest:
                third, widest = vertex, wide
        found[polygon, 0], found[polygon, 1], found[polygon, 2] = one, other, third
