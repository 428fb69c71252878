"""Rows of bits, compared by Hamming or Jaccard distance."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8, UInt64

from polylens.clustering.blocks import Blocks
from polylens.clustering.groups import OpenRows
from polylens.clustering.spaces import Least, Nearest
from polylens.errors import DataError
from polylens.kernels.tiles import BitRows, GroupedRows, LeastEdges, Neighbours, TilePairs, no_activations

_CHUNK = 1 << 24
"""Bytes packed and turned at a time."""
_MOST_BITS = 1 << 24
"""Counts of bits are whole numbers in single precision."""
_MOST_ROWS = 1024
"""Rows of a block: two blocks of 3,072 bits then fit a core's second cache."""


class BitSpace:
    """Rows of bits in tiles of 64 rows, word by word. Its own unit is bits for Hamming, and shares for
    Jaccard.

    Memory: the packed bits, once more while rows are put in another order.
    """

    def __init__(
        self,
        words: UInt64[np.ndarray, "tiles words 64"],
        *,
        rows: int,
        bits: int,
        metric: Literal["hamming", "jaccard"],
    ) -> None:
        from polylens.kernels.popcount import TILE

        self._words = words
        self._rows = rows
        self._bits = bits
        self._metric = metric
        self._ones = ones_of(words) if metric == "jaccard" else np.empty(0, dtype=np.int64)
        self._tile = TILE
        self.blocks = Blocks.of(rows, tile=TILE, most=_MOST_ROWS)

    @classmethod
    def of(
        cls,
        points: Bool[np.ndarray, "rows bits"] | UInt8[np.ndarray, "rows bytes"],
        *,
        bits: int,
        metric: Literal["hamming", "jaccard"],
    ) -> BitSpace:
        """Bits or packed bits in tiles; `bits` of a row count, for the unit of Hamming distance.

        Raises:
            DataError: rows so wide that a count of bits would be rounded.
        """
        if bits > _MOST_BITS:
            raise DataError(
                f"{len(points):,} rows of {bits:,} bits are too many of that width to be compared",
                hint="take fewer rows, or fewer units",
            )
        return cls(tile_rows(points), rows=len(points), bits=bits, metric=metric)

    def reach(self, neighbours: int) -> Float64[np.ndarray, "rows"]:
        """Nothing is known of neighbours before pairs are looked at."""
        return np.full(self._rows, np.inf)

    def offer(self, first: slice, second: slice, nearest: Nearest) -> None:
        """Offers every pair of two blocks to both of its rows."""
        from polylens.kernels.distances import EXACT
        from polylens.kernels.nearest import offer_counts, offer_ratios

        offer = offer_ratios if self._metric == "jaccard" else offer_counts
        offer(
            BitRows(self._words, self._ones, self._rows),
            TilePairs(*self._tiles(first), *self._tiles(second)),
            no_activations(EXACT),
            Neighbours(nearest.distances, nearest.who),
        )

    def by_rows(self, nearest: Nearest) -> Nearest:
        """Neighbours as they are: rows stand as they were given."""
        return nearest

    def reorder(self, order: Int64[np.ndarray, "rows"]) -> BitSpace:
        """A space in which row `order[place]` stands at `place`."""
        tiles, words, side = self._words.shape
        turned = np.empty_like(self._words)
        step = max(_CHUNK // (words * side * 8), 1)
        for start in range(0, tiles, step):
            places = order[start * side : (start + step) * side]
            taken = np.zeros((min(step, tiles - start) * side, words), dtype=np.uint64)
            taken[: len(places)] = self._words[places // side, :, places % side]
            turned[start : start + step] = taken.reshape(-1, side, words).transpose(0, 2, 1)
        return BitSpace(turned, rows=self._rows, bits=self._bits, metric=self._metric)

    def keep_least(self, first: slice, second: slice, rows: OpenRows, least: Least) -> None:
        """Keeps the least edges of mutual reachability that two blocks of places hold between groups."""
        from polylens.kernels.between import least_counts, least_ratios
        from polylens.kernels.distances import EXACT

        groups = rows.groups
        if not all(len(places) for places in rows.between(first, second)):
            return
        keep = least_ratios if self._metric == "jaccard" else least_counts
        keep(
            BitRows(self._words, self._ones, self._rows),
            TilePairs(*self._tiles(first), *self._tiles(second)),
            no_activations(EXACT),
            GroupedRows(groups.order, groups.floor, groups.group),
            LeastEdges(least.slot, least.weight, least.ends),
        )

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Bits that differ as a share of all; Jaccard distances as they are."""
        return distances / self._bits if self._metric == "hamming" else distances

    def _tiles(self, rows: slice) -> tuple[int, int]:
        return rows.start // self._tile, -(-rows.stop // self._tile)


def tile_rows(
    points: Bool[np.ndarray, "rows bits"] | UInt8[np.ndarray, "rows bytes"],
) -> UInt64[np.ndarray, "tiles words 64"]:
    """The rows as 64-bit words, 64 rows to a tile, padded with zeros; by chunks, to hold little twice."""
    from polylens.kernels.popcount import TILE

    n_bytes = points.shape[1] if points.dtype == np.uint8 else -(-points.shape[1] // 8)
    n_words, n_tiles = -(-n_bytes // 8), -(-len(points) // TILE)
    words = np.empty((n_tiles, n_words, TILE), dtype=np.uint64)
    step = max(_CHUNK // max(points[:1].nbytes * TILE, 1), 1)
    for start in range(0, n_tiles, step):
        some = points[start * TILE : (start + step) * TILE]
        packed = some if some.dtype == np.uint8 else np.packbits(some, axis=1)
        padded = np.zeros((min(step, n_tiles - start) * TILE, 8 * n_words), dtype=np.uint8)
        padded[: len(packed), :n_bytes] = packed
        words[start : start + step] = padded.view(np.uint64).reshape(-1, TILE, n_words).transpose(0, 2, 1)
    return words


def ones_of(words: UInt64[np.ndarray, "tiles words 64"]) -> Int64[np.ndarray, "padded"]:
    """Bits that are set in each row, those of the padding included."""
    return np.asarray(np.bitwise_count(words).sum(1, dtype=np.int64).ravel())
