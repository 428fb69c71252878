"""How far each row of a cluster lies from all the others."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.distances import jaccard_tile
from polylens.kernels.popcount import TILE, differing_tile


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
    last = min(first + TILE, n_rows)
    out[first:last] = 0.0
    for other in range(len(words)):
        differing_tile(words, tile, words, other, counts)
        jaccard_tile(ones, first, ones, other * TILE, counts, ratios)
        for row in range(first, last):
            for column in range(min(TILE, n_rows - other * TILE)):
                out[row] += ratios[row - first, column]
