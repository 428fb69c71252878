"""The nearest neighbours of every row, from tiles of distances that each pair is in once."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.distances import EXACT, jaccard_tile, measured
from polylens.kernels.popcount import TILE, differing_tile


@compiled
def offer(near: np.ndarray, who: np.ndarray, row: int, other: int, distance: float) -> None:
    """Puts `other` among the nearest of `row`, kept by rising distance; the farthest falls out."""
    place = near.shape[1] - 1
    if distance >= near[row, place]:
        return
    while place > 0 and near[row, place - 1] > distance:
        near[row, place] = near[row, place - 1]
        who[row, place] = who[row, place - 1]
        place -= 1
    near[row, place] = distance
    who[row, place] = other


@compiled
def offer_tile(
    tile: np.ndarray,
    kind: int,
    rows: np.ndarray,
    lengths: np.ndarray,
    first: int,
    second: int,
    n_first: int,
    n_second: int,
    near: np.ndarray,
    who: np.ndarray,
) -> None:
    """Offers every pair of a tile to both of its rows.

    Args:
        tile: distances (`kind` EXACT) or lower bounds of them, of rows from `first` and rows from `second`.
        kind: how a pair that a bound does not rule out is measured.
        rows: activations; any two-dimensional array for EXACT.
        lengths: of the rows, for COSINE.
        first, second: first row of either side; equal for the rows among themselves, each pair then taken
            once.
        n_first, n_second: rows of either side; the tile may be larger.
        near, who: rising distances and row numbers of the nearest, `rows neighbours`.
    """
    last = near.shape[1] - 1
    limits = np.empty(n_second, dtype=tile.dtype)
    # A bound in single precision is held against a limit that is rounded up, never down.
    grown, more = (1.0, 0.0) if kind == EXACT else (1.0 + 1e-6, 1e-37)
    for column in range(n_second):
        limits[column] = near[second + column, last] * grown + more
    for row in range(n_first):
        i = first + row
        limit = limits[row] if first == second else tile.dtype.type(near[i, last] * grown + more)
        line = tile[row, :n_second]
        found = False
        for column in range(len(line)):  # nothing but comparisons, so that it becomes vector code
            found |= (line[column] < limit) | (line[column] < limits[column])
        if not found:
            continue
        for column in range(row + 1 if first == second else 0, n_second):
            value = line[column]
            if value < limit or value < limits[column]:
                j = second + column
                distance = (
                    np.float64(value) if kind == EXACT else measured(kind, rows, lengths, i, rows, lengths, j)
                )
                offer(near, who, i, j, distance)
                offer(near, who, j, i, distance)
                limit = tile.dtype.type(near[i, last] * grown + more)
                limits[column] = near[j, last] * grown + more
                if first == second:
                    limits[row] = limit


@compiled
def offer_counts(
    words: np.ndarray,
    kind: int,
    no_rows: np.ndarray,
    no_lengths: np.ndarray,
    n_rows: int,
    a_from: int,
    a_to: int,
    b_from: int,
    b_to: int,
    near: np.ndarray,
    who: np.ndarray,
) -> None:
    """Offers every pair of rows of two blocks of tiles to both of its rows, by the bits that differ.

    Args:
        words: `tiles words 64`.
        kind: EXACT, and `no_rows`, `no_lengths`: empty arrays of activations' types. Given and not made here,
            so that one machine code of `offer_tile` serves activations and bits.
        n_rows: rows that are not padding.
        a_from, a_to, b_from, b_to: the tiles of either block; the same block for its rows among themselves.
        near, who: as `offer_tile` has them.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    for a in range(a_from, a_to):
        for b in range(a if a_from == b_from else b_from, b_to):
            differing_tile(words, a, words, b, counts)
            i, j = a * TILE, b * TILE
            n_i, n_j = min(TILE, n_rows - i), min(TILE, n_rows - j)
            offer_tile(counts, kind, no_rows, no_lengths, i, j, n_i, n_j, near, who)


@compiled
def offer_ratios(
    words: np.ndarray,
    ones: np.ndarray,
    n_rows: int,
    a_from: int,
    a_to: int,
    b_from: int,
    b_to: int,
    near: np.ndarray,
    who: np.ndarray,
) -> None:
    """Offers pairs as `offer_counts` does, by Jaccard distance; `ones` are the set bits of all rows, padded
    ones included.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    ratios = np.empty((TILE, TILE), dtype=np.float64)
    no_rows = np.empty((0, 0), dtype=np.float32)
    no_lengths = np.empty(0, dtype=np.float64)
    for a in range(a_from, a_to):
        for b in range(a if a_from == b_from else b_from, b_to):
            differing_tile(words, a, words, b, counts)
            i, j = a * TILE, b * TILE
            n_i, n_j = min(TILE, n_rows - i), min(TILE, n_rows - j)
            jaccard_tile(ones, i, ones, j, counts, ratios)
            offer_tile(ratios, EXACT, no_rows, no_lengths, i, j, n_i, n_j, near, who)
