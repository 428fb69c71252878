"""How far each member of a cluster lies from all the others, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from polylens.clustering.bit_space import ones_of, tile_rows
from polylens.clustering.euclidean_sums import least_euclidean_sums
from polylens.clustering.pair_counts import PairCounts, is_wide
from polylens.clustering.rows_as_numbers import RowValues
from polylens.cores import cores

if TYPE_CHECKING:
    from polylens.clustering.points import Metric, Points

Summed = Callable[["Points", Int64[np.ndarray, "members"]], Float64[np.ndarray, "members"]]

_CHUNK_NUMBERS = 1 << 22
"""Numbers looked at together (32 MB in double precision)."""
_FEW_CODES = 2000
"""Members whose Hamming distances are taken pair by pair: up to here that is faster than unpacking them."""


def summed_distances(
    points: Points | RowValues, members: Int64[np.ndarray, "members"], metric: Metric
) -> Float64[np.ndarray, "members"]:
    """The distances of each member to all others, summed.

    Equal up to rounding for equal rows. Under `hamming`, in bits. Under `euclidean`, infinite for members
    that are certainly not the least. Only `jaccard` looks at all pairs, and `euclidean` at those of members
    that a bound does not rule out.

    Args:
        points: rows, of which only the members' are read, some at a time.
        members: row numbers.
        metric: one that fits the points.
    """
    if metric == "euclidean":
        rows = points if isinstance(points, RowValues) else RowValues.of(points)
        return least_euclidean_sums(rows.take(members))
    if isinstance(points, RowValues):
        members = members if points.index is None else points.index[members]
        points = points.points
    if points.dtype == np.uint8 and is_wide(len(members), points.shape[1]):
        every = np.arange(len(members), dtype=np.int64)
        apart = PairCounts.of(points, chosen=members)
        return np.concatenate(
            [apart.distances(some, every, metric).sum(1) for some in _chunks(every, len(members))]
        )
    ways: dict[str, Summed] = {
        "hamming": _hamming,
        "jaccard": _jaccard,
        "cosine": _cosine,
        "l1": _l1,
    }
    return ways[metric](points, members)


def _chunks(members: Int64[np.ndarray, "members"], width: int) -> Iterator[Int64[np.ndarray, "some"]]:
    step = max(_CHUNK_NUMBERS // max(width, 1), 1)
    return (members[start : start + step] for start in range(0, len(members), step))


def _bits(points: Points, some: Int64[np.ndarray, "some"]) -> Bool[np.ndarray, "some bits"]:
    rows = points[some]
    return rows if rows.dtype == np.bool_ else np.unpackbits(rows, axis=1).view(np.bool_)


def _hamming(points: Points, members: Int64[np.ndarray, "members"]) -> Float64[np.ndarray, "members"]:
    """Summed Hamming distances, in bits: pair by pair for few members, by column sums for many. Exact."""
    if len(members) <= _FEW_CODES:
        from polylens.kernels.exemplars import hamming_sums

        summed = np.empty(len(members))
        hamming_sums(tile_rows(_pack(points, members)), len(members), summed)
        return summed
    width = points.shape[1] * (1 if points.dtype == np.bool_ else 8)
    ones = np.zeros(width)
    for some in _chunks(members, width):
        ones += _bits(points, some).astype(np.float64).sum(0)
    weight = len(members) - 2 * ones
    parts = [_bits(points, some).astype(np.float64) @ weight for some in _chunks(members, width)]
    return np.asarray(np.concatenate(parts) + ones.sum(), dtype=np.float64)


def _jaccard(points: Points, members: Int64[np.ndarray, "members"]) -> Float64[np.ndarray, "members"]:
    from concurrent.futures import ThreadPoolExecutor

    from polylens.kernels.exemplars import jaccard_sums

    words = tile_rows(np.concatenate([_pack(points, some) for some in _chunks(members, points.shape[1])]))
    ones = ones_of(words)
    summed = np.empty(len(members))
    pool = ThreadPoolExecutor(cores())
    try:
        done = pool.map(lambda tile: jaccard_sums(words, ones, len(members), tile, summed), range(len(words)))
        for _ in done:
            pass
    finally:
        pool.shutdown(cancel_futures=True)
    return summed


def _pack(points: Points, some: Int64[np.ndarray, "some"]) -> UInt8[np.ndarray, "some bytes"]:
    rows = points[some]
    return rows if rows.dtype == np.uint8 else np.packbits(rows, axis=1)


def _cosine(points: Points, members: Int64[np.ndarray, "members"]) -> Float64[np.ndarray, "members"]:
    """Half the squared distances of rows brought to length 1, which their mean and its surroundings tell of.

    A row of zeros is at 1 from every other row and at 0 from other rows of zeros.
    """
    directed, total = 0, np.zeros(points.shape[1])
    for some in _chunks(members, points.shape[1]):
        unit, has_direction = _directions(points, some)
        directed += int(has_direction.sum())
        total += unit.sum(0)
    mean = total / max(directed, 1)
    squares, directions = [], []
    for some in _chunks(members, points.shape[1]):
        unit, has_direction = _directions(points, some)
        unit -= mean
        squares.append(np.einsum("mw,mw->m", unit, unit))
        directions.append(has_direction)
    from_mean, has_direction = np.concatenate(squares), np.concatenate(directions)
    spread = from_mean[has_direction].sum()
    among_directed = (directed * from_mean + spread) / 2
    return np.where(has_direction, among_directed + (len(members) - directed), float(directed))


def _directions(
    points: Points, some: Int64[np.ndarray, "some"]
) -> tuple[Float64[np.ndarray, "some width"], Bool[np.ndarray, "some"]]:
    """Rows brought to length 1, and whether they have a length."""
    rows = points[some].astype(np.float64)
    length = np.sqrt(np.einsum("mw,mw->m", rows, rows))[:, None]
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0), length[:, 0] > 0


def _l1(points: Points, members: Int64[np.ndarray, "members"]) -> Float64[np.ndarray, "members"]:
    """Column by column: in rising order, distances to the values before and behind are sums of these."""
    count = len(members)
    summed = np.zeros(count)
    weight = (2 * np.arange(1, count + 1) - count)[:, None]
    for columns in _chunks(np.arange(points.shape[1]), count):
        values = points[np.ix_(members, columns)].astype(np.float64)
        order = values.argsort(0)
        rising = np.take_along_axis(values, order, 0)
        rising -= rising[count // 2].copy()
        apart = rising * weight
        so_far = rising.cumsum(0)
        apart += so_far[-1] - 2 * so_far
        np.put_along_axis(values, order, apart, 0)
        summed += values.sum(1)
    return summed
