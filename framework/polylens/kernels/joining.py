"""Which rows of a clustering new rows would join first, from tiles of distances between the two."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.distances import EXACT, SQUARED, jaccard_tile, measured
from polylens.kernels.nearest import offer
from polylens.kernels.popcount import TILE, differing_tile


@compiled
def _in_unit(kind: int, distance: float, bits: float) -> float:
    """A distance as core distances are written: a root of a square, or a share of so many bits."""
    return np.sqrt(distance) if kind == SQUARED else distance / bits


@compiled
def join_tile(
    tile: np.ndarray,
    kind: int,
    bits: float,
    new: np.ndarray,
    new_lengths: np.ndarray,
    rows: np.ndarray,
    lengths: np.ndarray,
    first: int,
    second: int,
    n_first: int,
    n_second: int,
    core: np.ndarray,
    rank: np.ndarray,
    near: np.ndarray,
    who: np.ndarray,
    reach: np.ndarray,
    best: np.ndarray,
) -> None:
    """Keeps, for each new row, its nearest rows and the row that it would join first.

    Args:
        tile: distances (`kind` EXACT) or lower bounds of them, of new rows from `first` and rows from
            `second`.
        kind, bits: how a pair is measured, and how many bits are one unit (1 where distances are no counts).
        new, new_lengths, rows, lengths: activations and their lengths; anything for EXACT.
        first, second, n_first, n_second: where either side starts, and how many it has.
        core: core distances of the rows, in units.
        rank: of the rows: among equally near ones the lowest is joined.
        near, who: nearest rows of each new row, as `nearest.offer` keeps them; updated.
        reach: the least `max(core, distance)` of each new row so far, in units; updated.
        best: the rank of the row that has it; updated.
    """
    last = near.shape[1] - 1
    for row in range(n_first):
        i = first + row
        # In the tile's own unit, rounded up: farther rows are neither among the nearest nor joined first.
        widest = reach[i] * reach[i] if kind == SQUARED else reach[i] * bits
        limit = tile.dtype.type(max(near[i, last], widest) * (1.0 + 1e-6) + 1e-37)
        line = tile[row, :n_second]
        found = False
        for column in range(len(line)):  # nothing but comparisons, so that it becomes vector code
            found |= line[column] <= limit
        if not found:
            continue
        for column in range(n_second):
            if line[column] > limit:
                continue
            j = second + column
            apart = (
                float(line[column])
                if kind == EXACT
                else measured(kind, new, new_lengths, i, rows, lengths, j)
            )
            offer(near, who, i, j, apart)
            joined = max(core[j], _in_unit(kind, apart, bits))
            if joined < reach[i] or (joined == reach[i] and rank[j] < best[i]):
                reach[i] = joined
                best[i] = rank[j]


@compiled
def join_bits(
    new_words: np.ndarray,
    new_ones: np.ndarray,
    words: np.ndarray,
    ones: np.ndarray,
    jaccard: bool,
    bits: float,
    n_new: int,
    n_rows: int,
    tile: int,
    core: np.ndarray,
    rank: np.ndarray,
    near: np.ndarray,
    who: np.ndarray,
    reach: np.ndarray,
    best: np.ndarray,
) -> None:
    """`join_tile` for one tile of new rows of bits and all tiles of rows."""
    counts = np.empty((TILE, TILE), dtype=np.float32)
    ratios = np.empty((TILE, TILE), dtype=np.float64)
    rows, lengths = np.empty((0, 0), dtype=np.float32), np.empty(0)
    i = tile * TILE
    m = min(TILE, n_new - i)
    for other in range(len(words)):
        j = other * TILE
        k = min(TILE, n_rows - j)
        differing_tile(new_words, tile, words, other, counts)
        held = (core, rank, near, who, reach, best)
        if jaccard:
            jaccard_tile(new_ones, i, ones, j, counts, ratios)
            join_tile(ratios, EXACT, 1.0, rows, lengths, rows, lengths, i, j, m, k, *held)
        else:
            join_tile(counts, EXACT, bits, rows, lengths, rows, lengths, i, j, m, k, *held)
