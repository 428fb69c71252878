"""The nearest neighbours of every row, from tiles of distances that each pair is in once.

1. Each row keeps the distances of its nearest rows so far, rising; the farthest of them is the row's limit.
2. A tile is gone through line by line. First the whole line is compared with the limits of its own row and
   of all columns, without a branch, and eight columns of no use are passed over together.
3. A pair below either limit is held against closer bounds and then measured, where the tile holds only a
   lower bound, and offered to both of its rows, whose limits fall.

Invariant: a pair is passed over only if its distance, or a lower bound of it, is at least the limit of both
its rows, and limits only fall. So what is kept in the end is exact; of equally far rows the first that came
stays. Two calls at once must not share rows.

Cost: one comparison for each pair, and `neighbours` steps for each pair that is kept. Memory: one line of
limits.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_inline
from polylens.kernels.distances import (
    COSINE,
    EXACT,
    is_beyond,
    jaccard_tile,
    measure,
)
from polylens.kernels.narrowing import narrow
from polylens.kernels.popcount import TILE, differing_tile
from polylens.kernels.tiles import BitRows, Measure, Neighbours, Tile, TilePairs


@compiled_inline
def offer(nearest: Neighbours, row: int, candidate: int, distance: float) -> None:
    """Puts `candidate` among the nearest of `row`, kept by rising distance; the farthest falls out."""
    near, who = nearest.near, nearest.who
    rank = near.shape[1] - 1
    # At equal distance the earlier one stays.
    if distance >= near[row, rank]:
        return
    # One step of insertion sort; equal distances stay in the order in which they came.
    while rank > 0 and near[row, rank - 1] > distance:
        near[row, rank] = near[row, rank - 1]
        who[row, rank] = who[row, rank - 1]
        rank -= 1
    near[row, rank] = distance
    who[row, rank] = candidate


@compiled
def marked_columns(marks: np.ndarray, out: np.ndarray) -> int:
    """Fills `out` with the columns that are marked, in their order; how many.

    Args:
        marks: uint8, 0 or 1, a multiple of 8 of them, so that eight are passed over together.
        out: int64, as many.
    """
    count = 0
    words = marks.view(np.uint64)
    for word in range(len(words)):
        if words[word] == 0:
            continue
        for column in range(8 * word, 8 * word + 8):  # no branch: marks come in no order
            out[count] = column
            count += int(marks[column])
    return count


@compiled
def offer_tile(tile: Tile, measuring: Measure, nearest: Neighbours) -> None:
    """Offers every pair of a tile to both of its rows.

    Args:
        tile: distances (kind EXACT) or lower bounds of them.
        measuring: how a pair that a bound does not rule out is measured; both sides are the same rows.
        nearest: of all rows; updated.
    """
    values, first, second, kind, near = tile.values, tile.first, tile.second, measuring.kind, nearest.near
    last = near.shape[1] - 1
    order, n_turned = measuring.order, len(measuring.turned)
    marks = np.zeros(-(-tile.n_second // 8) * 8, dtype=np.uint8)
    near_columns = np.empty(len(marks), dtype=np.int64)
    sums, most = np.empty(len(marks), dtype=np.float32), np.empty(len(marks), dtype=np.float32)
    # In the tile's own type: a comparison with a wider one would widen the whole line.
    limits = np.empty(tile.n_second, dtype=values.dtype)
    # A bound in single precision is held against a limit that is rounded up, never down.
    grown, more = (1.0, 0.0) if kind == EXACT else (1.0 + 1e-6, 1e-37)
    for column in range(tile.n_second):
        limits[column] = near[second + column, last] * grown + more
    for row in range(tile.n_first):
        i = first + row
        # Among themselves a row is also a column, whose limit earlier lines may have brought down.
        limit = limits[row] if first == second else values.dtype.type(near[i, last] * grown + more)
        line = values[row, : tile.n_second]
        for column in range(len(line)):  # nothing but comparisons, so that it becomes vector code
            marks[column] = (line[column] < limit) | (line[column] < limits[column])
        if first == second:  # each pair once, above the diagonal
            marks[: row + 1] = 0
        n_near = marked_columns(marks, near_columns)
        if n_turned > 0:
            factor = 2.0 if kind == COSINE else 1.0
            n_near = narrow(
                line, measuring, i, second, limit, limits, factor, near_columns, n_near, sums, most
            )
        for column in near_columns[:n_near]:
            value = line[column]
            if value < limit or value < limits[column]:
                j = second + column
                if kind == EXACT:
                    distance = float(value)
                else:
                    a, b = order[i], order[j]
                    far = max(near[i, last], near[j, last])
                    if n_turned > 0 and is_beyond(measuring, a, b, far):
                        continue
                    distance = measure(measuring, a, b)
                offer(nearest, i, j, distance)
                offer(nearest, j, i, distance)
                # Both rows may have come nearer to somebody: what follows in the line is held to the new
                # limits.
                limit = values.dtype.type(near[i, last] * grown + more)
                limits[column] = near[j, last] * grown + more
                if first == second:
                    limits[row] = limit


@compiled
def offer_counts(rows: BitRows, pairs: TilePairs, exact: Measure, nearest: Neighbours) -> None:
    """Offers every pair of rows of two blocks of tiles to both of its rows, by the bits that differ.

    Args:
        rows: the bits.
        pairs: the tiles of either block.
        exact: `tiles.no_activations(EXACT)`.
        nearest: of all rows; updated.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    for a in range(pairs.a_from, pairs.a_to):
        for b in range(a if pairs.a_from == pairs.b_from else pairs.b_from, pairs.b_to):
            differing_tile(rows.words, a, rows.words, b, counts)
            i, j = a * TILE, b * TILE
            n_i, n_j = min(TILE, rows.n_rows - i), min(TILE, rows.n_rows - j)
            offer_tile(Tile(counts, i, j, n_i, n_j), exact, nearest)


@compiled
def offer_ratios(rows: BitRows, pairs: TilePairs, exact: Measure, nearest: Neighbours) -> None:
    """Offers every pair of rows of two blocks of tiles to both of its rows, by Jaccard distance.

    Args:
        rows: the bits, and how many of each row are set.
        pairs: the tiles of either block.
        exact: `tiles.no_activations(EXACT)`.
        nearest: of all rows; updated.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    ratios = np.empty((TILE, TILE), dtype=np.float64)
    for a in range(pairs.a_from, pairs.a_to):
        for b in range(a if pairs.a_from == pairs.b_from else pairs.b_from, pairs.b_to):
            differing_tile(rows.words, a, rows.words, b, counts)
            i, j = a * TILE, b * TILE
            n_i, n_j = min(TILE, rows.n_rows - i), min(TILE, rows.n_rows - j)
            jaccard_tile(rows.ones, i, rows.ones, j, counts, ratios)
            offer_tile(Tile(ratios, i, j, n_i, n_j), exact, nearest)
