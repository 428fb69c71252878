"""Bits that differ between every two rows, added up over pieces of the rows.

Rows that are wider than they are many do not fit a processor's cache, and often not the memory: they are cut
into pieces of columns, and the counts of all pieces are added up in one matrix.

Cost: one population count for each pair and word. Memory: the pieces at hand and the matrix.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.popcount import TILE, differing_tile
from polylens.kernels.tiles import TilePairs


@compiled
def add_differing(pieces: np.ndarray, pairs: TilePairs, counts: np.ndarray) -> None:
    """Adds to `counts[i, j]` the bits in which rows i and j differ, for every pair of two blocks of tiles.

    Only tiles on and above the diagonal are written to. Counts are exact: those of one piece fit float32, and
    the sum is of whole numbers.

    Args:
        pieces: `pieces tiles words 64` of uint64.
        pairs: the tiles of either block.
        counts: `rows rows`, int32; updated.
    """
    n_rows = len(counts)
    tile = np.empty((TILE, TILE), dtype=np.float32)
    for piece in range(len(pieces)):
        words = pieces[piece]
        for a in range(pairs.a_from, pairs.a_to):
            for b in range(a if pairs.a_from == pairs.b_from else pairs.b_from, pairs.b_to):
                differing_tile(words, a, words, b, tile)
                for row in range(min(TILE, n_rows - a * TILE)):
                    for column in range(min(TILE, n_rows - b * TILE)):
                        counts[a * TILE + row, b * TILE + column] += np.int32(tile[row, column])
