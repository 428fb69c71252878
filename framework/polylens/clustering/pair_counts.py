"""Rows of bits that are wider than they are many: how many bits differ between every two, counted once.

The code of a whole example of an ImageNet network has a megabyte and more. So few rows fit on a disk that the
matrix of all their distances is much smaller than the rows; and every pass over pairs, and every subsample,
needs the same distances. They are counted once, a piece of the columns at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int32, Int64, UInt8

from polylens.clustering.bit_space import tile_rows
from polylens.clustering.blocks import Blocks, Pair, over_pairs
from polylens.clustering.groups import OpenRows
from polylens.clustering.processes import Processes
from polylens.clustering.spaces import Least, Nearest
from polylens.errors import DataError
from polylens.kernels.tiles import GroupedRows, LeastEdges, Neighbours, Tile, TilePairs, no_activations
from polylens.progress import Progress, Silent

_WIDE = 1 << 16
"""Bytes of a row from which on counting once may be worth it."""
_LOADED = 1 << 27
"""Bytes of the rows that are in memory at once."""
_PIECE = 1 << 10
"""Bytes of each row that are compared at a time: two blocks of rows then fit a core's second cache."""
_MOST_ROWS = 1024
"""Rows of a block."""
_MOST_BITS = 2**31 - 1


def is_wide(rows: int, row_bytes: int) -> bool:
    """Whether the matrix of all distances is smaller than the rows, which are long.

    >>> is_wide(5000, 1_500_000), is_wide(5000, 384)
    (True, False)
    """
    return row_bytes >= _WIDE and 4 * rows <= row_bytes


@dataclass(frozen=True)
class PairCounts:
    """Bits that differ between every two of some rows, and bits that are set in each."""

    counts: Int32[np.ndarray, "rows rows"]
    ones: Int64[np.ndarray, "rows"]

    @classmethod
    def of(
        cls,
        points: UInt8[np.ndarray, "rows bytes"],
        *,
        chosen: Int64[np.ndarray, "chosen"] | None = None,
        progress: Progress | None = None,
    ) -> PairCounts:
        """Counts all pairs, on all cores and over all processes of a group. The rows are read once.

        Memory: the matrix, and some 400 MB, however many and however wide the rows are.

        Args:
            points: packed rows; may be a memory map.
            chosen: the rows that count; all where None.
            progress: where the work shows itself.

        Raises:
            DataError: rows of 2^31 bits or more.
        """
        from polylens.kernels.accumulating import add_differing
        from polylens.kernels.popcount import TILE

        index = np.arange(len(points), dtype=np.int64) if chosen is None else chosen
        n_rows, n_bytes = len(index), points.shape[1]
        if 8 * n_bytes > _MOST_BITS:
            raise DataError(f"rows of {8 * n_bytes:,} bits are too wide to be compared")
        counts = np.zeros((n_rows, n_rows), dtype=np.int32)
        ones = np.zeros(n_rows, dtype=np.int64)
        blocks = Blocks.of(n_rows, tile=TILE, most=_MOST_ROWS)
        processes = Processes.here()
        padded = -(-n_rows // TILE) * TILE
        step = max(_LOADED // (padded * _PIECE), 1) * _PIECE
        title = "distances of wide codes"
        with (progress or Silent()).task(title, total=n_bytes, unit="bytes a row") as task:
            for start in range(0, n_bytes, step):
                # A slice of a memory map by row numbers is read, and nothing else of it is.
                some = points[index, start : start + step]
                pieces = _pieces(some)
                ones += np.bitwise_count(pieces).sum((0, 2), dtype=np.int64).ravel()[:n_rows]

                def add(pair: Pair, _: int, pieces: np.ndarray = pieces) -> None:
                    first, second = (blocks.span(block) for block in pair)
                    tiles = (first.start // TILE, -(-first.stop // TILE), second.start // TILE)
                    add_differing(pieces, TilePairs(*tiles, -(-second.stop // TILE)), counts)

                over_pairs(blocks, add, title=title, processes=processes, progress=Silent())
                task.advance(some.shape[1])
        if processes.count > 1:
            counts = np.sum(processes.gather(counts), axis=0, dtype=np.int32)
        _mirror(counts)
        return cls(counts, ones)

    def take(self, index: Int64[np.ndarray, "chosen"]) -> PairCounts:
        """The counts of some of the rows."""
        return PairCounts(self.counts[np.ix_(index, index)], self.ones[index])

    def __len__(self) -> int:
        return len(self.counts)

    def distances(
        self, left: Int64[np.ndarray, "left"], right: Int64[np.ndarray, "right"], metric: str
    ) -> Float64[np.ndarray, "left right"]:
        """Bits that differ, or Jaccard distances: these over bits set in either, 0 where none is."""
        apart: Float64[np.ndarray, "left right"] = self.counts[np.ix_(left, right)].astype(np.float64)
        if metric == "hamming":
            return apart
        either = (self.ones[left][:, None] + self.ones[right] + apart) / 2.0
        return np.asarray(np.divide(apart, either, out=np.zeros_like(apart), where=either > 0))


class CountedSpace:
    """Rows whose distances have been counted. Its own unit is bits for Hamming, and shares for Jaccard.

    Memory: the counts; a block of distances a thread.
    """

    def __init__(
        self,
        pairs: PairCounts,
        *,
        bits: int,
        metric: Literal["hamming", "jaccard"],
        order: Int64[np.ndarray, "rows"] | None = None,
    ) -> None:
        from polylens.kernels.popcount import TILE

        self._pairs = pairs
        self._bits = bits
        self._metric = metric
        self._order = np.arange(len(pairs), dtype=np.int64) if order is None else order
        self.blocks = Blocks.of(len(pairs), tile=TILE, most=_MOST_ROWS)

    def reach(self, neighbours: int) -> Float64[np.ndarray, "rows"]:
        """Nothing is known of neighbours before pairs are looked at."""
        return np.full(len(self._pairs), np.inf)

    def offer(self, first: slice, second: slice, nearest: Nearest) -> None:
        """Offers every pair of two blocks to both of its rows."""
        from polylens.kernels.distances import EXACT
        from polylens.kernels.nearest import offer_tile

        near = Neighbours(nearest.distances, nearest.who)
        offer_tile(self._tile(first, second), no_activations(EXACT), near)

    def by_rows(self, nearest: Nearest) -> Nearest:
        """Neighbours as they are: rows stand as they were given."""
        return nearest

    def reorder(self, order: Int64[np.ndarray, "rows"]) -> CountedSpace:
        """A space in which row `order[place]` stands at `place`; nothing is copied."""
        return CountedSpace(self._pairs, bits=self._bits, metric=self._metric, order=order)

    def keep_least(self, first: slice, second: slice, rows: OpenRows, least: Least) -> None:
        """Keeps the least edges of mutual reachability that two blocks of places hold between groups."""
        from polylens.kernels.between import least_tile
        from polylens.kernels.distances import EXACT

        groups = rows.groups
        if not all(len(places) for places in rows.between(first, second)):
            return
        least_tile(
            self._tile(first, second),
            no_activations(EXACT),
            GroupedRows(groups.order, groups.floor, groups.group),
            LeastEdges(least.slot, least.weight, least.ends),
        )

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Bits that differ as a share of all; Jaccard distances as they are."""
        return distances / self._bits if self._metric == "hamming" else distances

    def _tile(self, first: slice, second: slice) -> Tile:
        values = self._pairs.distances(self._order[first], self._order[second], self._metric)
        return Tile(values, first.start, second.start, *values.shape)


def _pieces(some: UInt8[np.ndarray, "rows bytes"]) -> np.ndarray:
    """The rows as `pieces tiles words 64` of uint64, padded with zeros."""
    parts = [tile_rows(some[:, start : start + _PIECE]) for start in range(0, some.shape[1], _PIECE)]
    words = max(part.shape[1] for part in parts)
    pieces = np.zeros((len(parts), len(parts[0]), words, parts[0].shape[2]), dtype=np.uint64)
    for number, part in enumerate(parts):
        pieces[number, :, : part.shape[1]] = part
    return pieces


def _mirror(counts: Int32[np.ndarray, "rows rows"]) -> None:
    """Fills in what lies below the diagonal, a few rows at a time."""
    for start in range(0, len(counts), _MOST_ROWS):
        stop = start + _MOST_ROWS
        counts[start:stop, :start] = counts[:start, start:stop].T
        block = counts[start:stop, start:stop]
        upper = np.triu(block)
        block[:] = upper + np.triu(block, 1).T
