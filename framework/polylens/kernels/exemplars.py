"""How far each row of a cluster lies from all the others, summed, tile by tile.

Sums of integers are exact in any order. Those of Jaccard distances are taken row by row in the order of the
rows, so that they do not depend on how many threads share the tiles; each thread has tiles of its own.

Cost: every pair twice for bits (a line of tiles is summed without writing to others), once for products.
Memory: one tile of distances.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.distances import jaccard_tile
from polylens.kernels.popcount import TILE, differing_tile


@compiled
def hamming_sums(words: np.ndarray, n_rows: int, out: np.ndarray) -> None:
    """Fills `out` with each row's summed differing bits from all rows.

    Args:
        words: `tiles words 64` of uint64.
        n_rows: rows that are not padding.
        out: of all rows that are not padding.
    """
    # Every pair twice, so that a thread writes to the rows of its own tiles alone.
    counts = np.empty((TILE, TILE), dtype=np.float32)
    out[:] = 0.0
    for tile in range(len(words)):
        first = tile * TILE
        for facing in range(len(words)):
            differing_tile(words, tile, words, facing, counts)
            for row in range(first, min(first + TILE, n_rows)):
                for column in range(min(TILE, n_rows - facing * TILE)):
                    out[row] += counts[row - first, column]


@compiled
def jaccard_sums(words: np.ndarray, ones: np.ndarray, n_rows: int, tile: int, out: np.ndarray) -> None:
    """Fills `out` with the summed Jaccard distances of one tile's rows to all rows, added up in their order.

    Args:
        words: `tiles words 64` of uint64.
        ones: set bits of all rows, padded ones included.
        n_rows: rows that are not padding.
        tile: which one.
        out: of all rows that are not padding.
    """
    counts = np.empty((TILE, TILE), dtype=np.float32)
    ratios = np.empty((TILE, TILE), dtype=np.float64)
    first = tile * TILE
    # The last tile is filled up with rows of zeros, which are no rows.
    last = min(first + TILE, n_rows)
    out[first:last] = 0.0
    for facing in range(len(words)):
        differing_tile(words, tile, words, facing, counts)
        jaccard_tile(ones, first, ones, facing * TILE, counts, ratios)
        for row in range(first, last):
            for column in range(min(TILE, n_rows - facing * TILE)):
                out[row] += ratios[row - first, column]


@compiled
def euclidean_sums(
    products: np.ndarray,
    left_squares: np.ndarray,
    right_squares: np.ndarray,
    left_sums: np.ndarray,
    right_sums: np.ndarray,
) -> None:
    """Adds the distances |x - y| = (|x|^2 + |y|^2 - 2 xy)^(1/2) of a block to the sums of both sides' rows.

    Args:
        products: xy, `left right`.
        left_squares, right_squares: |x|^2 and |y|^2.
        left_sums, right_sums: updated.
    """
    for row in range(products.shape[0]):
        own = left_squares[row]
        # In a register, and written once: the right side's sums are written at every step.
        summed = 0.0
        for column in range(products.shape[1]):
            # Rounding may take a product a little past the squares of two equal rows.
            apart = np.sqrt(max(own + right_squares[column] - 2.0 * products[row, column], 0.0))
            summed += apart
            right_sums[column] += apart
        left_sums[row] += summed
