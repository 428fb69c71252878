"""Rows of numbers, compared by Euclidean, cosine or L1 distance."""

from __future__ import annotations

from copy import copy
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.blocks import Blocks, side_by_side
from polylens.clustering.coarse import COARSE_PRODUCT, COARSE_ROW, coarse_products
from polylens.clustering.groups import OpenRows
from polylens.clustering.processes import Processes
from polylens.clustering.spaces import Least, Nearest
from polylens.clustering.turning import Turned, turn_rows
from polylens.errors import DataError
from polylens.kernels.tiles import GroupedRows, LeastEdges, Measure, Neighbours, Tile
from polylens.progress import Silent

Places = slice | Int64[np.ndarray, "_"]
DenseMetric = Literal["euclidean", "cosine", "l1"]

_TILE = 64
_MOST_ROWS = 2048
"""Rows of a block: their products take 16 MB a thread."""
_MOST_SHORT_ROWS = 1024
"""Rows of a block where they are turned: products of few columns wait for the memory, and 4 MB stay near."""
_SEEN = 1024
"""Rows among which neighbours are looked for first, so that their distances are limits from the start."""
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

    Memory: the rows as they are, half as much where they are turned, and a few blocks a thread.
    """

    def __init__(
        self, rows: Float32[np.ndarray, "rows width"], *, metric: DenseMetric, turned: Turned | None = None
    ) -> None:
        from polylens.kernels.distances import KINDS

        self._rows = rows
        self._metric = metric
        self._kind = KINDS[metric]
        self._at = np.arange(len(rows), dtype=np.int64)
        self._order = self._at if turned is None else turned.order
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
        if turned is None or not agreed:
            return cls(rows, metric=metric)
        # Another processor's rounding may have put rows in another order.
        return cls(rows, metric=metric, turned=turned.in_order(Processes.here().gather(turned.order)[0]))

    def reach(self, neighbours: int) -> Float64[np.ndarray, "rows"]:
        """By place, more than how far the nearest rows lie: infinite, or as blocks of near rows show."""
        found = np.full(len(self._rows), np.inf)
        if self._turned is None:
            return found

        def look(start: int, _: int) -> None:
            places = slice(start, min(start + _SEEN, len(found)))
            chosen = self._order[places]
            if len(chosen) > neighbours:
                block = prepare(
                    self._rows[chosen], self._lengths[chosen], metric=self._metric, centre=self._centre
                )
                found[places] = neighbours_within(block, neighbours, metric=self._metric)

        starts = range(0, len(found), _SEEN)
        side_by_side([starts], look, amount=float, title="", total=len(starts), progress=Silent())
        return found

    def offer(self, first: slice, second: slice, nearest: Nearest) -> None:
        """Offers every pair of two blocks to both of its rows."""
        from polylens.kernels.nearest import offer_tile

        bounds = self._bounds(first, first if first == second else second)
        tile = Tile(bounds, first.start, second.start, *bounds.shape)
        offer_tile(tile, self._measure(), Neighbours(nearest.distances, nearest.who))

    def by_rows(self, nearest: Nearest) -> Nearest:
        """Neighbours by row."""
        return nearest if self._turned is None else nearest.by_rows(self._order)

    def reorder(self, order: Int64[np.ndarray, "rows"]) -> DenseSpace:
        """A space in which row `order[place]` stands at `place`; rows are gathered block by block."""
        moved = copy(self)
        moved._order = order
        if self._turned is not None:
            at = np.empty_like(order)
            at[self._turned.order] = np.arange(len(order))
            moved._at = at[order]
        return moved

    def keep_least(self, first: slice, second: slice, rows: OpenRows, least: Least) -> None:
        """Keeps the least edges of mutual reachability that two blocks of places hold between groups."""
        from polylens.kernels.between import least_tile

        left, right = rows.between(first, second)
        if len(left) == 0 or len(right) == 0:
            return
        # Rows are known by where they stand among these; where a block meets itself both are the same.
        both, behind = (left, 0) if first == second else (np.concatenate([left, right]), len(left))
        groups, found = rows.groups, self._turned
        measure = self._measure()
        if found is not None:
            measure = measure._replace(at=self._at[both])
        least_tile(
            Tile(self._bounds(left, right), 0, behind, len(left), len(right)),
            measure,
            GroupedRows(self._order[both], groups.floor[both], groups.group[both]),
            LeastEdges(least.slot, least.weight, least.ends),
        )

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Roots of squared distances; the others as they are."""
        return np.sqrt(distances) if self._metric == "euclidean" else distances

    def _measure(self) -> Measure:
        sides = (self._rows, self._lengths, self._rows, self._lengths)
        found = self._turned
        if found is None:
            return Measure(self._kind, *sides, self._order)
        held = (found.stages, found.tails, self._at)
        return Measure(self._kind, *sides, self._order, *held, first=found.first, loose=found.loose)

    def _bounds(self, first: Places, second: Places) -> Float32[np.ndarray, "left right"]:
        """Lower bounds of the distances between rows at some places and rows at others."""
        left = self._block(first)
        right = left if first is second else self._block(second)
        found = self._turned
        if found is None:
            return lower_bounds(left, right, metric=self._metric)
        squares = (found.squares[self._at[first]], found.squares[self._at[second]])
        return lower_bounds(
            left, right, metric=self._metric, squares=squares, loose=found.loose, coarse=found.coarse
        )

    def _block(self, places: Places) -> Float32[np.ndarray, "places width"]:
        if self._turned is not None:
            return self._turned.block(self._at[places])
        chosen = self._order[places]
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
    squares: tuple[Float64[np.ndarray, "left"], Float64[np.ndarray, "right"]] | None = None,
    loose: float = 0.0,
    coarse: bool = False,
) -> Float32[np.ndarray, "left right"]:
    """Lower bounds of the distances between prepared rows, in the space's own unit.

    `squares` are the rows' squared lengths where they are known, `loose` the share of its length that each
    row may be off by; `coarse` takes products in bfloat16.
    """
    from polylens.kernels.distances import bounds_from_products, bounds_from_sums

    width = left.shape[1]
    if metric == "l1":
        sums = np.empty((len(left), len(right)), dtype=np.float32)
        turned = np.empty((width, _TILE), dtype=np.float32)
        bounds_from_sums(left, right, turned, 1.0 - (width + 8) * _UNIT, sums)
        return sums
    products = coarse_products(left, right) if coarse else left @ right.T
    # What a sum of so many products can lose in any order (Jeannerod and Rump 2013), the rounding of prepared
    # rows and of their squares, and products too small to be held.
    # With s for `loose`, |x - y|^2 falls by no more than 2 s (|x| + |y|)^2, at most 4 s (|x|^2 + |y|^2).
    # A product is at most half of the sum of both squares.
    if coarse:
        loose += COARSE_ROW
    kept = 1.0 - (width + 32) * _UNIT - 4.0 * loose - (COARSE_PRODUCT if coarse else 0.0)
    lost = (width + 32) * _LEAST
    found = squares or (_squares(left), _squares(right))
    low = [(square * kept - lost).astype(np.float32) for square in found]
    bounds_from_products(products, low[0], low[1], 0.5 if metric == "cosine" else 1.0)
    return products


def neighbours_within(
    block: Float32[np.ndarray, "rows width"], neighbours: int, *, metric: DenseMetric
) -> Float64[np.ndarray, "rows"]:
    """More than the distances to the nearest so many of some prepared rows, in the space's own unit."""
    apart = lower_bounds(block, block, metric=metric)
    np.fill_diagonal(apart, np.inf)
    # A bound is below the distance by twice what was taken off for rounding at most.
    width = block.shape[1]
    lost = 2 * (width + 40) * (_UNIT * _squares(block) + _LEAST)
    apart += lost.astype(np.float32)
    apart.partition(neighbours - 1, axis=1)
    return np.asarray((apart[:, neighbours - 1] + lost) * (1 + 1e-6) + 1e-37)


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
