"""Which rows of a clustering new rows would join first, from tiles of distances between the two.

A new row joins a clustered one at the height `max(core distance of the clustered row, distance)`.

1. Each new row keeps its nearest rows (for its own core distance, by which its strength is told) and its
   reach, the least such height so far.
2. A line of a tile is compared with one limit, the larger of what either of the two could still use,
   without a branch.
3. In a line that is of use, each pair within the limit is measured, where the tile holds only a bound,
   offered to the nearest, and held against the reach; at equal heights the lower rank wins.

Invariant: what lies beyond the limit is neither among the nearest nor joined first, since the height is at
least the distance. So the result is exact, and of equally near rows the one that is joined does not depend on
the order of the tiles.

Cost: one comparison for each pair. Memory: nothing but a tile.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.distances import EXACT, SQUARED, jaccard_tile, measure
from polylens.kernels.nearest import offer
from polylens.kernels.popcount import TILE, differing_tile
from polylens.kernels.tiles import BitRows, Clustered, Joins, Measure, Tile


@compiled
def _in_unit(kind: int, distance: float, bits: float) -> float:
    """A distance as core distances are written: a root of a square, or a share of so many bits."""
    return np.sqrt(distance) if kind == SQUARED else distance / bits


@compiled
def join_tile(tile: Tile, measuring: Measure, clustered: Clustered, joins: Joins) -> None:
    """Keeps, for each new row, its nearest rows and the row that it would join first.

    Args:
        tile: distances (kind EXACT) or lower bounds of them; lines are new rows, columns clustered ones.
        measuring: how a pair that a bound does not rule out is measured.
        clustered: the rows to join.
        joins: of all new rows; updated.
    """
    values, kind, bits, near = tile.values, measuring.kind, clustered.bits, joins.nearest.near
    core, rank, reach, best = clustered.core, clustered.rank, joins.reach, joins.best
    last = near.shape[1] - 1
    for row in range(tile.n_first):
        i = tile.first + row
        # Neither the nearest nor the reach may be missed, so the larger of the two is the limit.
        # In the tile's own unit, rounded up: farther rows are neither among the nearest nor joined first.
        widest = reach[i] * reach[i] if kind == SQUARED else reach[i] * bits
        limit = values.dtype.type(max(near[i, last], widest) * (1.0 + 1e-6) + 1e-37)
        line = values[row, : tile.n_second]
        of_use = False
        for column in range(len(line)):  # nothing but comparisons, so that it becomes vector code
            of_use |= line[column] <= limit
        if not of_use:
            continue
        # The limit is not brought down within a line: what it lets by too much is held off below.
        for column in range(tile.n_second):
            if line[column] > limit:
                continue
            j = tile.second + column
            distance = float(line[column]) if kind == EXACT else measure(measuring, i, j)
            # `offer` looks at the distance itself, so it may be handed one beyond its own limit.
            offer(joins.nearest, i, j, distance)
            height = max(core[j], _in_unit(kind, distance, bits))
            # Tiles come in any order of threads: without the rank ties would hang on it.
            if height < reach[i] or (height == reach[i] and rank[j] < best[i]):
                reach[i] = height
                best[i] = rank[j]


@compiled
def join_bits(
    new: BitRows, rows: BitRows, tile: int, jaccard: bool, exact: Measure, clustered: Clustered, joins: Joins
) -> None:
    """Keeps what `join_tile` keeps, for one tile of new rows of bits against all tiles of clustered rows.

    Args:
        new, rows: the bits of the new rows and of the clustered ones.
        tile: of the new rows, which.
        jaccard: whether distances are Jaccard's; counts of differing bits otherwise.
        exact: `tiles.no_activations(EXACT)`.
        clustered: the rows to join.
        joins: of all new rows; updated in the lines of this tile.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    ratios = np.empty((TILE, TILE), dtype=np.float64)
    i = tile * TILE
    n_i = min(TILE, new.n_rows - i)
    # One tile of new rows against all: each thread writes to lines of its own.
    for tile_of_rows in range(len(rows.words)):
        j = tile_of_rows * TILE
        n_j = min(TILE, rows.n_rows - j)
        differing_tile(new.words, tile, rows.words, tile_of_rows, counts)
        if jaccard:
            jaccard_tile(new.ones, i, rows.ones, j, counts, ratios)
            join_tile(Tile(ratios, i, j, n_i, n_j), exact, clustered, joins)
        else:
            join_tile(Tile(counts, i, j, n_i, n_j), exact, clustered, joins)
