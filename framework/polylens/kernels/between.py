"""The least edges of mutual reachability between groups of rows, from tiles of distances.

The second pass of the engine: groups of rows are connected already, and a minimum spanning tree needs the
least edges between them. An edge weighs `max(core of either end, distance)`.

1. Rows stand in an order that has each group together, and tiles hold the rows that an edge may still come
   from (`clustering.groups`): what is known of an edge before its distance is, its floor, is low enough.
2. Each column has a limit: what an edge between the line's group and the column's must weigh less than to be
   of use to either (-1 where there can be none). The limits hold for all lines of one group, and are
   written anew where the group changes or an edge was kept.
3. A line is compared with the limits without a branch; pairs that are of use are held against closer bounds
   and then measured, where the tile holds only a bound, and the lesser edges are kept, in both directions.

Invariant: a weight only ever falls, and a pair is passed over only if a lower bound of its weight is no less
than both weights it could replace. Of equal edges the first that came stays: the canonical form of the
hierarchy (`linkage`) is the same for all of them. Two calls at once must not share groups' lines; each thread
has its own edges.

Cost: one comparison for each pair of rows of different groups, `tile` steps for each edge that is kept.
Memory: `groups slots` edges, one line of limits.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_for_many, compiled_inline
from polylens.kernels.distances import (
    COSINE,
    EXACT,
    is_beyond,
    jaccard_tile,
    measure,
)
from polylens.kernels.narrowing import narrow
from polylens.kernels.nearest import marked_columns
from polylens.kernels.popcount import TILE, differing_tile
from polylens.kernels.tiles import BitRows, GroupedRows, LeastEdges, Measure, Tile, TilePairs


@compiled_inline
def _fill_limits(own: int, tile: Tile, groups: GroupedRows, least: LeastEdges, limits: np.ndarray) -> None:
    """Fills, by column of the tile, what a distance must stay below to be of use to group `own` or to the
    column's group; -1 where none can be.
    """
    slot, weight = least.slot, least.weight
    group_of = groups.group[tile.second : tile.second + tile.n_second]
    floor_of = groups.floor[tile.second : tile.second + tile.n_second]
    for column in range(len(group_of)):
        theirs = group_of[column]
        # Whichever of the two groups would gain: what is no less than both is of use to neither.
        limit = max(weight[own, slot[theirs]], weight[theirs, slot[own]])
        # The column's floor is known before any distance is, and the edge weighs no less.
        limits[column] = limit if theirs != own and floor_of[column] < limit else -1.0


@compiled_inline
def _keep_edge(least: LeastEdges, own: int, theirs: int, i: int, j: int, weight: float) -> None:
    """Keeps an edge from row `i` of group `own` to row `j` of group `theirs` where it is the least of
    either.
    """
    slot, weights, ends = least.slot, least.weight, least.ends
    if weight < weights[own, slot[theirs]]:
        weights[own, slot[theirs]] = weight
        ends[own, slot[theirs], 0], ends[own, slot[theirs], 1] = i, j
    if weight < weights[theirs, slot[own]]:
        weights[theirs, slot[own]] = weight
        ends[theirs, slot[own], 0], ends[theirs, slot[own], 1] = j, i


@compiled
def least_tile(tile: Tile, measuring: Measure, groups: GroupedRows, least: LeastEdges) -> None:
    """Keeps the least edges that a tile shows between rows of different groups.

    Args:
        tile: distances (kind EXACT) or lower bounds of them; its rows are ranks.
        measuring: how a pair that a bound does not rule out is measured; both sides are the same rows.
        groups: the rows by rank.
        least: updated.
    """
    values, first, second, n_second = tile.values, tile.first, tile.second, tile.n_second
    kind, order, group, core = measuring.kind, groups.order, groups.group, groups.floor
    n_turned = len(measuring.turned)
    limits = np.empty(n_second)
    marks = np.zeros(-(-n_second // 8) * 8, dtype=np.uint8)
    near_columns = np.empty(len(marks), dtype=np.int64)
    sums, most = np.empty(len(marks), dtype=np.float32), np.empty(len(marks), dtype=np.float32)
    group_of, floor_of = group[second : second + n_second], core[second : second + n_second]
    limits_of = -1  # the group that the limits are written for
    for row in range(tile.n_first):
        i = first + row
        own, own_floor = group[i], core[i]
        # Rows of a group stand together, so the limits are seldom written anew.
        if own != limits_of:
            _fill_limits(own, tile, groups, least, limits)
            limits_of = own
        # A slice of its own: the compiler then knows that columns stand side by side.
        line = values[row, :n_second]
        for column in range(len(line)):  # nothing but comparisons, so that it becomes vector code
            marks[column] = (line[column] < limits[column]) & (own_floor < limits[column])
        if first == second:  # each pair once, above the diagonal
            marks[: row + 1] = 0
        n_near = marked_columns(marks, near_columns)
        if n_turned > 0:
            factor = 2.0 if kind == COSINE else 1.0
            n_near = narrow(
                line, measuring, i, second, -1.0, limits, factor, near_columns, n_near, sums, most
            )
        for column in near_columns[:n_near]:
            # What the edge weighs at least; limits may have fallen since the column was marked.
            floor = max(own_floor, floor_of[column])
            if max(floor, np.float64(line[column])) >= limits[column]:
                continue
            j = second + column
            # Activations are kept by row, groups by rank.
            if kind == EXACT:
                distance = float(line[column])
            else:
                a, b = order[i], order[j]
                if n_turned > 0 and is_beyond(measuring, a, b, limits[column]):
                    continue
                distance = measure(measuring, a, b)
            # Measured now: the bound let by what its distance may rule out.
            weight = max(floor, distance)
            if weight >= limits[column]:
                continue
            _keep_edge(least, own, group_of[column], order[i], order[j], weight)
            # The edge is a new limit for all columns of that group, and with one slot for every column.
            _fill_limits(own, tile, groups, least, limits)


@compiled
def _one_group(group: np.ndarray, i: int, n_i: int, j: int, n_j: int) -> bool:
    """Whether `n_i` ranks from `i` and `n_j` ranks from `j` are all of one group.

    Groups rise with the rank, so that equal ends mean one group in between; either tile may come first.
    """
    return bool(group[i] == group[j + n_j - 1] and group[j] == group[i + n_i - 1])


@compiled
def least_counts(
    rows: BitRows, pairs: TilePairs, exact: Measure, groups: GroupedRows, least: LeastEdges
) -> None:
    """Keeps the least edges between rows of different groups over two blocks of tiles, by bits that differ.

    Two tiles of one and the same group are passed over.

    Args:
        rows: the bits by rank.
        pairs: the tiles of either block.
        exact: `tiles.no_activations(EXACT)`.
        groups: the rows by rank.
        least: updated.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    for a in range(pairs.a_from, pairs.a_to):
        i = a * TILE
        n_i = min(TILE, rows.n_rows - i)
        for b in range(a if pairs.a_from == pairs.b_from else pairs.b_from, pairs.b_to):
            j = b * TILE
            n_j = min(TILE, rows.n_rows - j)
            if _one_group(groups.group, i, n_i, j, n_j):
                continue
            differing_tile(rows.words, a, rows.words, b, counts)
            least_tile(Tile(counts, i, j, n_i, n_j), exact, groups, least)


@compiled
def least_ratios(
    rows: BitRows, pairs: TilePairs, exact: Measure, groups: GroupedRows, least: LeastEdges
) -> None:
    """Keeps the least edges between rows of different groups over two blocks of tiles, by Jaccard distance.

    Two tiles of one and the same group are passed over.

    Args:
        rows: the bits by rank, and how many of each row are set.
        pairs: the tiles of either block.
        exact: `tiles.no_activations(EXACT)`.
        groups: the rows by rank.
        least: updated.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    ratios = np.empty((TILE, TILE), dtype=np.float64)
    for a in range(pairs.a_from, pairs.a_to):
        i = a * TILE
        n_i = min(TILE, rows.n_rows - i)
        for b in range(a if pairs.a_from == pairs.b_from else pairs.b_from, pairs.b_to):
            j = b * TILE
            n_j = min(TILE, rows.n_rows - j)
            if _one_group(groups.group, i, n_i, j, n_j):
                continue
            differing_tile(rows.words, a, rows.words, b, counts)
            jaccard_tile(rows.ones, i, rows.ones, j, counts, ratios)
            least_tile(Tile(ratios, i, j, n_i, n_j), exact, groups, least)


@compiled_for_many
def spanning_groups(weight: np.ndarray) -> np.ndarray:
    """Grows Prim's tree over a dense symmetric matrix of weights between groups.

    Time O(groups^2), as every group is looked at once for each that joins; memory O(groups).

    Returns:
        For every group but the first its neighbour in the tree; -1 for the first.
    """
    n = weight.shape[0]
    parent = np.full(n, -1, dtype=np.int64)
    reach = np.full(n, np.inf)  # the least weight that leads from the tree to each group outside
    inside = np.zeros(n, dtype=np.bool_)
    newest = 0
    for _ in range(n - 1):
        inside[newest] = True
        following = -1
        for group in range(n):
            if inside[group]:
                continue
            # Only the newest member can bring a group nearer to the tree.
            if parent[group] < 0 or weight[newest, group] < reach[group]:
                reach[group] = weight[newest, group]
                parent[group] = newest
            if following < 0 or reach[group] < reach[following]:
                following = group
        newest = following
    return parent
