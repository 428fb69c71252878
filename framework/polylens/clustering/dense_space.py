"""Rows of numbers, compared by Euclidean, cosine or L1 distance."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.blocks import Blocks
from polylens.clustering.processes import Processes
from polylens.clustering.spaces import Groups, Least, Nearest
from polylens.clustering.turning import Turned, turn_rows
from polylens.errors import DataError
from polylens.kernels.tiles import GroupedRows, LeastEdges, Measure, Neighbours, Tile

DenseMetric = Literal["euclidean", "cosine", "l1"]

_TILE = 64
_MOST_ROWS = 2048
"""Rows of a block: their products take 16 MB a thread."""
_MOST_SHORT_ROWS = 1024
"""Rows of a block where they are turned: products of few columns wait for the memory, and 4 MB stay near."""
_UNIT = 2.0**-24
"""Relative error of one rounding in single precision."""
_LEAST = 2.0**-126
"""The least number that single precision holds in full; what lies below may be lost."""
_LARGEST = 1e18
"""Greatest length of a row: squares must be far from the largest number of single precision."""


class DenseSpace:
    """Rows of numbers. Its own unit is squared distance for Euclidean, and the metric's for the others.

    Distances of two blocks are first bounded from below in single precision (a product of matrices, or a
    plain sum for L1) by more than rounding can take away, and pairs that the bound does not rule out are
    measured in double precision. So the result is that of exact distances, at the speed of products. Where
    few directions hold most of the variance, products are of these alone (`turning`).

    Memory: the rows as they are, a third as much where they are turned, and a few blocks a thread.
    """

    def __init__(
        self,
        rows: Float32[np.ndarray, "rows width"],
        *,
        metric: DenseMetric,
        order: Int64[np.ndarray, "rows"] | None = None,
        turned: Turned | None = None,
    ) -> None:
        from polylens.kernels.distances import KINDS

        self._rows = rows
        self._metric = metric
        self._kind = KINDS[metric]
        self._order = np.arange(len(rows), dtype=np.int64) if order is None else order
        self._lengths = lengths(rows)
        self._centre = centre_of(rows)
        self._turned = turned
        most = _MOST_ROWS if turned is None else _MOST_SHORT_ROWS
        self.blocks = Blocks.of(len(rows), tile=_TILE, most=most)

    @classmethod
    def of(cls, rows: Float32[np.ndarray, "rows width"], *, metric: DenseMetric) -> DenseSpace:
        """Rows as they are, turned first where that makes the passes over all pairs quicker."""
        if metric == "l1":
            return cls(rows, metric=metric)
        found = lengths(rows)
        scales = np.where(found > 0, found, 1) if metric == "cosine" else None
        turned = turn_rows(rows, scales=scales)
        # Blocks are cut by whether rows are turned, and must be the same in all processes that share pairs.
        agreed = all(Processes.here().each(int(turned is not None)))
        return cls(rows, metric=metric, turned=turned if agreed else None)

    def offer(self, first: slice, second: slice, nearest: Nearest) -> None:
        """Offers every pair of two blocks to both of its rows."""
        from polylens.kernels.nearest import offer_tile

        tile = self._tile(first, second)
        offer_tile(tile, self._measure(), Neighbours(nearest.distances, nearest.who))

    def reorder(self, order: Int64[np.ndarray, "rows"]) -> DenseSpace:
        """A space in which row `order[place]` stands at `place`; rows are gathered block by block."""
        return DenseSpace(self._rows, metric=self._metric, order=order, turned=self._turned)

    def keep_least(self, first: slice, second: slice, groups: Groups, least: Least) -> None:
        """Keeps the least edges of mutual reachability that two blocks of places hold between groups."""
        from polylens.kernels.between import least_tile

        ends = groups.group[[first.start, first.stop - 1, second.start, second.stop - 1]]
        if (ends == ends[0]).all():
            return
        least_tile(
            self._tile(first, second),
            self._measure(),
            GroupedRows(self._order, groups.core, groups.group),
            LeastEdges(least.slot, least.weight, least.ends),
        )

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Roots of squared distances; the others as they are."""
        return np.sqrt(distances) if self._metric == "euclidean" else distances

    def _measure(self) -> Measure:
        sides = (self._rows, self._lengths, self._rows, self._lengths)
        if self._turned is None:
            return Measure(self._kind, *sides)
        return Measure(self._kind, *sides, self._turned.rows, self._turned.tails, self._turned.loose)

    def _tile(self, first: slice, second: slice) -> Tile:
        """Lower bounds of the distances of two blocks."""
        left = self._block(first)
        right = left if first == second else self._block(second)
        loose = 0.0 if self._turned is None else self._turned.loose
        bounds = lower_bounds(left, right, metric=self._metric, loose=loose)
        return Tile(bounds, first.start, second.start, *bounds.shape)

    def _block(self, places: slice) -> Float32[np.ndarray, "places width"]:
        chosen = self._order[places]
        if self._turned is not None:
            return self._turned.block(chosen)
        return prepare(self._rows[chosen], self._lengths[chosen], metric=self._metric, centre=self._centre)


def prepare(
    rows: Float32[np.ndarray, "rows width"],
    lengths: Float64[np.ndarray, "rows"],
    *,
    metric: DenseMetric,
    centre: Float32[np.ndarray, "width"],
) -> Float32[np.ndarray, "rows width"]:
    """Rows as `lower_bounds` takes them: for Euclidean less a common centre, for cosine over their lengths.

    The nearer the rows lie to the origin, the less do products lose.
    """
    if metric == "euclidean":
        return np.asarray(rows - centre)
    if metric == "cosine":
        # Divided in double precision: single precision has only a few digits of the least lengths.
        unit = np.empty(rows.shape, dtype=np.float32)
        np.divide(rows, np.where(lengths > 0, lengths, 1)[:, None], out=unit, casting="same_kind")
        return unit
    return rows


def lower_bounds(
    left: Float32[np.ndarray, "left width"],
    right: Float32[np.ndarray, "right width"],
    *,
    metric: DenseMetric,
    loose: float = 0.0,
) -> Float32[np.ndarray, "left right"]:
    """Lower bounds of the distances between prepared rows, in the space's own unit.

    `loose` is the share of its length that each row may be off by.
    """
    from polylens.kernels.distances import bounds_from_products, bounds_from_sums

    width = left.shape[1]
    if metric == "l1":
        sums = np.empty((len(left), len(right)), dtype=np.float32)
        turned = np.empty((width, _TILE), dtype=np.float32)
        bounds_from_sums(left, right, turned, 1.0 - (width + 8) * _UNIT, sums)
        return sums
    products: Float32[np.ndarray, "left right"] = left @ right.T
    # What a sum of so many products can lose in any order (Jeannerod and Rump 2013), the rounding of prepared
    # rows and of their squares, and products too small to be held.
    # With s for `loose`, |x - y|^2 falls by no more than 2 s (|x| + |y|)^2, at most 4 s (|x|^2 + |y|^2).
    kept, lost = 1.0 - (width + 32) * _UNIT - 4.0 * loose, (width + 32) * _LEAST
    squares = [(_squares(block) * kept - lost).astype(np.float32) for block in (left, right)]
    bounds_from_products(products, squares[0], squares[1], 0.5 if metric == "cosine" else 1.0)
    return products


def centre_of(rows: Float32[np.ndarray, "rows width"]) -> Float32[np.ndarray, "width"]:
    """The mean of rows."""
    return np.asarray(rows.mean(0, dtype=np.float64), dtype=np.float32)


def lengths(rows: Float32[np.ndarray, "rows width"]) -> Float64[np.ndarray, "rows"]:
    """Euclidean lengths of rows.

    Raises:
        DataError: one is too large for its square to be compared in single precision.
    """
    found: Float64[np.ndarray, "rows"] = np.sqrt(_squares(rows))
    if found.max(initial=0) > _LARGEST:
        raise DataError(
            f"row {int(found.argmax())} has a length above {_LARGEST:g}: too large to be compared",
            hint="bring the activations to scale ('scale: standardise')",
        )
    return found


def _squares(rows: Float32[np.ndarray, "rows width"]) -> Float64[np.ndarray, "rows"]:
    """Squared lengths, in double precision."""
    return np.asarray(np.einsum("rw,rw->r", rows, rows, dtype=np.float64))
