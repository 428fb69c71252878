"""The least edges of mutual reachability between groups of rows, from tiles of distances."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_for_many
from polylens.kernels.distances import EXACT, jaccard_tile, measured
from polylens.kernels.popcount import TILE, differing_tile


@compiled
def _fill_limits(
    own: int, columns: np.ndarray, core: np.ndarray, slot: np.ndarray, weight: np.ndarray, limits: np.ndarray
) -> None:
    """What a distance to each column must stay below to be of use to group `own` or to the column's group."""
    for column in range(len(columns)):
        other = columns[column]
        limit = max(weight[own, slot[other]], weight[other, slot[own]])
        limits[column] = limit if other != own and core[column] < limit else -1.0


@compiled
def least_tile(
    tile: np.ndarray,
    kind: int,
    rows: np.ndarray,
    lengths: np.ndarray,
    order: np.ndarray,
    first: int,
    second: int,
    n_first: int,
    n_second: int,
    core: np.ndarray,
    group: np.ndarray,
    slot: np.ndarray,
    weight: np.ndarray,
    ends: np.ndarray,
) -> None:
    """Keeps the least edges that a tile shows between rows of different groups.

    Rows are numbered by their place in `order`, which has those of one group together.

    Args:
        tile: distances (`kind` EXACT) or lower bounds of them, of places from `first` and places from
            `second`.
        kind: how a pair that a bound does not rule out is measured.
        rows: activations by row number; any two-dimensional array for EXACT.
        lengths: of the rows, for COSINE.
        order: the row number at each place.
        first, second: first place of either side; equal for the rows among themselves.
        n_first, n_second: rows of either side; the tile may be larger.
        core: core distances by place.
        group: groups by place.
        slot: which columns of `weight` a group has: column `slot[h]` of row g is for edges from g to h, so
            that with `slot[h] = h` every two groups keep their least edge, and with `slot[h] = 0` each group
            keeps the least that leaves it.
        weight: `groups slots`, the least weights so far; updated.
        ends: `groups slots 2`, the places of those edges, the one in the group first; updated.
    """
    limits = np.empty(n_second)
    columns, cores = group[second : second + n_second], core[second : second + n_second]
    filled_for = -1
    for row in range(n_first):
        i = first + row
        own, own_core = group[i], core[i]
        if own != filled_for:
            _fill_limits(own, columns, cores, slot, weight, limits)
            filled_for = own
        line = tile[row, :n_second]
        found = False
        for column in range(len(line)):  # nothing but comparisons, so that it becomes vector code
            found |= (line[column] < limits[column]) & (own_core < limits[column])
        if not found:
            continue
        for column in range(row + 1 if first == second else 0, n_second):
            floor = max(own_core, cores[column])
            if max(floor, np.float64(line[column])) >= limits[column]:
                continue
            j = second + column
            apart = (
                float(line[column])
                if kind == EXACT
                else measured(kind, rows, lengths, order[i], rows, lengths, order[j])
            )
            distance = max(floor, apart)
            if distance >= limits[column]:
                continue
            other = columns[column]
            if distance < weight[own, slot[other]]:
                weight[own, slot[other]] = distance
                ends[own, slot[other], 0], ends[own, slot[other], 1] = i, j
            if distance < weight[other, slot[own]]:
                weight[other, slot[own]] = distance
                ends[other, slot[own], 0], ends[other, slot[own], 1] = j, i
            _fill_limits(own, columns, cores, slot, weight, limits)


@compiled
def _one_group(group: np.ndarray, i: int, m: int, j: int, k: int) -> bool:
    """Whether `m` places from `i` and `k` places from `j` are all of one group; groups stand together."""
    return bool(group[i] == group[j + k - 1] and group[j] == group[i + m - 1])


@compiled
def least_counts(
    words: np.ndarray,
    kind: int,
    no_rows: np.ndarray,
    no_lengths: np.ndarray,
    no_order: np.ndarray,
    n: int,
    a_from: int,
    a_to: int,
    b_from: int,
    b_to: int,
    core: np.ndarray,
    group: np.ndarray,
    slot: np.ndarray,
    weight: np.ndarray,
    ends: np.ndarray,
) -> None:
    """Keeps the least edges between rows of different groups over two blocks of tiles, by bits that differ.

    `words` stand in the order of places. Two tiles of one and the same group are passed over. `kind` is
    EXACT, `no_rows`, `no_lengths` and `no_order` are empty: one machine code of `least_tile` then serves
    activations and bits.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    for a in range(a_from, a_to):
        i = a * TILE
        m = min(TILE, n - i)
        for b in range(a if a_from == b_from else b_from, b_to):
            j = b * TILE
            k = min(TILE, n - j)
            if _one_group(group, i, m, j, k):
                continue
            differing_tile(words, a, words, b, counts)
            least_tile(
                counts, kind, no_rows, no_lengths, no_order, i, j, m, k, core, group, slot, weight, ends
            )


@compiled
def least_ratios(
    words: np.ndarray,
    ones: np.ndarray,
    n: int,
    a_from: int,
    a_to: int,
    b_from: int,
    b_to: int,
    core: np.ndarray,
    group: np.ndarray,
    slot: np.ndarray,
    weight: np.ndarray,
    ends: np.ndarray,
) -> None:
    """Keeps least edges as `least_counts` does, by Jaccard distance; `ones` too stand in the order of
    places.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    ratios = np.empty((TILE, TILE), dtype=np.float64)
    rows, lengths, order = np.empty((0, 0), np.float32), np.empty(0), np.empty(0, np.int64)
    for a in range(a_from, a_to):
        i = a * TILE
        m = min(TILE, n - i)
        for b in range(a if a_from == b_from else b_from, b_to):
            j = b * TILE
            k = min(TILE, n - j)
            if _one_group(group, i, m, j, k):
                continue
            differing_tile(words, a, words, b, counts)
            jaccard_tile(ones, i, ones, j, counts, ratios)
            least_tile(ratios, EXACT, rows, lengths, order, i, j, m, k, core, group, slot, weight, ends)


@compiled_for_many
def spanning_groups(weight: np.ndarray) -> np.ndarray:
    """Prim's tree over a dense symmetric matrix of groups: for every group but the first, its neighbour in
    it.

    The first group's entry is -1. O(groups^2).
    """
    n = weight.shape[0]
    parent = np.full(n, -1, dtype=np.int64)
    reached = np.full(n, np.inf)
    inside = np.zeros(n, dtype=np.bool_)
    current = 0
    for _ in range(n - 1):
        inside[current] = True
        following = -1
        for other in range(n):
            if inside[other]:
                continue
            if parent[other] < 0 or weight[current, other] < reached[other]:
                reached[other] = weight[current, other]
                parent[other] = current
            if following < 0 or reached[other] < reached[following]:
                following = other
        current = following
    return parent
