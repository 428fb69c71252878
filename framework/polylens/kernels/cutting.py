"""Polygons cut along lines, one polygon after the other and depth-first.

The lines come from a `Rule`: those where units pass their kink (`kinks`), or where a window's winner changes
(`leading`). Both ask one thing of a polygon, which of its candidates to cut it by next, and are cut by one
loop:

1. Put the polygon's candidates on the pool, and the polygon on the stack.
2. Take a polygon off the stack, with the candidates that it owns, those at the top of the pool.
3. Find the next line among them that still cuts it. If there is none, or no room for more vertices, the
   polygon is finished.
4. Split it (`halfedges.split`). Values at the new vertices are interpolated between the ends of their edges;
   what defines the line is set there to what it is on it.
5. Put both halves on the stack; the lower one gets a copy of the candidates. Go on with 2.

Invariants: the candidates of the polygon on top of the stack end at `top`, those of the one below it start
lower; each half has fewer lines to come than the whole, for what one side of a line cannot meet is dropped
when its turn comes. Halves follow each other in the result, so that neighbours stay close together.

Cost: `corners * candidates` for each polygon there is in the end and each on the way, of which there are as
many but for one; memory for the result, and for the candidates of one path down the tree of cuts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polylens.kernels.compiling import compiled, compiled_inline
from polylens.kernels.halfedges import (
    Mesh,
    has_room_to_split,
    split,
    with_lines,
    with_room,
    with_room_to_split,
)
from polylens.kernels.kinks import keep_cutting_units
from polylens.kernels.leading import drop_led_windows
from polylens.kernels.outlines import Outline, read_rows


class Candidates(NamedTuple):
    """By polygon, what may cut it: numbers of units, or of windows."""

    starts: np.ndarray
    """`polygons + 1`, int64: where those of each polygon start in the list, and its end."""
    listed: np.ndarray
    """`entries`, int64: the numbers, polygon by polygon."""


class Rule(NamedTuple):
    """What cuts a polygon."""

    windows: np.ndarray
    """`windows places`, int64: the columns of each window's elements, -1 where it has fewer. Without lines,
    candidates are units, and each cuts where it passes the kink."""
    kink: float
    """The value at which units change their regime; not looked at for windows."""
    tolerance: float
    """In the unit of the values: within it a vertex is on a line, and two elements are equal."""


class VertexValues(NamedTuple):
    """What is affine on every polygon, at the vertices that the mesh gives rows to."""

    table: np.ndarray
    """`rows numbers`, float64: rows beyond `n_rows` are room, and longer copies are made."""
    n_rows: int
    """How many vertices are there."""
    most_rows: int
    """Beyond so many nothing more is cut."""


@compiled
def cut_polygons(
    polygons: np.ndarray, candidates: Candidates, rule: Rule, values: VertexValues, mesh: Mesh
) -> tuple[np.ndarray, bool, Mesh]:
    """Cuts polygons along the lines of their candidates.

    Args:
        polygons: their numbers.
        candidates: of each.
        rule: what its candidates are, and where they cut.
        values: at all vertices of the polygons.
        mesh: is changed in place, as far as its arrays have room.

    Returns:
        The polygons that there are now, neighbours close together, each with the index of the given one that
        it is a part of; whether everything is cut; and the mesh, with longer arrays where there was no room.
    """
    table, n_rows, windows = values.table, values.n_rows, rule.windows
    pieces, n_pieces, is_complete = np.empty((2 * len(polygons) + 16, 2), dtype=np.int64), 0, True
    stack, pool = np.empty((64, 2), dtype=np.int64), np.empty(1024, dtype=np.int64)
    outline = Outline(np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64), np.empty(64), 0)
    for index in range(len(polygons)):
        # Depth-first, one given polygon after the other: its pieces stand together in the result.
        pool, top = _fill_pool(pool, candidates, index)
        # A line of the stack: a polygon, and where in the pool its candidates start.
        stack[0, 0], stack[0, 1], depth = polygons[index], 0, 1
        while depth:
            depth -= 1
            polygon, bottom = stack[depth, 0], stack[depth, 1]
            leader = rival = -1
            # A split puts two vertices at most. Without room for them what is left is for a later call.
            if n_rows + 2 > values.most_rows:
                is_complete = is_complete and top == bottom
                top = bottom
            elif top > bottom:
                # Read anew for each polygon: its neighbours may have put vertices on its edges meanwhile.
                outline = read_rows(mesh, polygon, outline)
                if len(windows):
                    top, leader, rival = drop_led_windows(
                        table, outline, pool, bottom, top, windows, rule.tolerance
                    )
                else:
                    top, leader = keep_cutting_units(
                        table, outline, pool, bottom, top, rule.kink, rule.tolerance
                    )
            if leader < 0:
                pieces = with_lines(pieces, n_pieces, 1)
                pieces[n_pieces, 0], pieces[n_pieces, 1] = polygon, index
                n_pieces += 1
                continue
            _set_heights(outline, table, leader, rival, rule.kink)
            # Asked first: to make a record anew counts the owners of all its arrays (`compiled_inline`).
            if not has_room_to_split(mesh):
                mesh = with_room_to_split(mesh)
            table = with_lines(table, n_rows, 2)
            below, down, up = split(mesh, outline.border, outline.heights, outline.n_corners, rule.tolerance)
            for vertex in (down, up):
                # OLD_VERTEX is there already, with a row of its own.
                if vertex >= 0:
                    _fill_row(table, n_rows, mesh, vertex, leader, rival, rule.kink)
                    n_rows += 1
            # The upper half keeps the candidates where they are; the lower one gets a copy, and is next.
            pool, above_top = _copy_to_top(pool, bottom, top)
            stack = with_lines(stack, depth, 2)
            stack[depth, 0], stack[depth, 1] = polygon, bottom
            stack[depth + 1, 0], stack[depth + 1, 1] = below, top
            depth, top = depth + 2, above_top
    return pieces[:n_pieces], is_complete, mesh


@compiled
def _fill_pool(pool: np.ndarray, candidates: Candidates, index: int) -> tuple[np.ndarray, int]:
    """Writes the candidates of one polygon to the pool, from its bottom; the pool, and where they end."""
    start = candidates.starts[index]
    count = candidates.starts[index + 1] - start
    pool, listed = with_room(pool, 0, count), candidates.listed
    for item in range(count):
        pool[item] = listed[start + item]
    return pool, count


@compiled
def _copy_to_top(pool: np.ndarray, bottom: int, top: int) -> tuple[np.ndarray, int]:
    """Writes what lies from `bottom` to `top` of the pool once more behind it; the pool, and its new top."""
    count = top - bottom
    pool = with_room(pool, top, count)
    for item in range(count):
        pool[top + item] = pool[bottom + item]
    return pool, top + count


@compiled_inline
def _set_heights(outline: Outline, table: np.ndarray, leader: int, rival: int, kink: float) -> None:
    """Fills, for each corner, how far above the line it is: `leader` over `rival`, or over the kink if that
    is -1.
    """
    rows, heights = outline.rows, outline.heights
    for corner in range(outline.n_corners):
        # The elements of a window differ by an affine function as well: one line, whatever the rule.
        base = kink if rival < 0 else table[rows[corner], rival]
        heights[corner] = table[rows[corner], leader] - base


@compiled_inline
def _fill_row(
    table: np.ndarray, row: int, mesh: Mesh, vertex: int, leader: int, rival: int, kink: float
) -> None:
    """Fills a row with the values at a new vertex, which gets that row."""
    row_of, ends = mesh.row_of, mesh.ends
    # Both ends are older, so their rows are filled.
    start, end = row_of[ends[vertex, 0]], row_of[ends[vertex, 1]]
    share = mesh.spots[vertex, 2]
    for column in range(table.shape[1]):
        table[row, column] = (1.0 - share) * table[start, column] + share * table[end, column]
    # On the line by construction, whatever interpolation makes of it: no later cut takes it for beside it.
    if rival < 0:
        table[row, leader] = kink
    else:
        table[row, rival] = table[row, leader]
    row_of[vertex] = row
