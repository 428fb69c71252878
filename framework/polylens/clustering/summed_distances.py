"""How far each member of a cluster lies from all the others, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from polylens.clustering.bit_space import ones_of, tile_rows
from polylens.clustering.pair_counts import PairCounts, is_wide

if TYPE_CHECKING:
    from polylens.clustering.points import Metric, Points

Summed = Callable[["Points", Int64[np.ndarray, "members"]], Float64[np.ndarray, "members"]]

_CHUNK_NUMBERS = 1 << 22
"""Numbers looked at together (32 MB in double precision)."""
_SIDE = 1024
"""Rows of a block of Euclidean distances."""
_FEW = 32
"""Members whose Euclidean distances are taken pair by pair."""
_FEW_CODES = 2000
"""Members whose Hamming distances are taken pair by pair: up to here that is faster than unpacking them."""
_ROUNDING = 1e-6
"""Share of a summed distance, more than products of matrices lose in double precision."""


def summed_distances(
    points: Points, members: Int64[np.ndarray, "members"], metric: Metric
) -> Float64[np.ndarray, "members"]:
    """The distances of each member to all others, summed.

    Equal up to rounding for equal rows. Under `hamming`, in bits. Under `euclidean`, infinite for members
    that are certainly not the least. Only `euclidean` and `jaccard` look at pairs.

    Args:
        points: rows, of which only the members' are read, some at a time.
        members: row numbers.
        metric: one that fits the points.
    """
    if points.dtype == np.uint8 and is_wide(len(members), points.shape[1]):
        every = np.arange(len(members), dtype=np.int64)
        apart = PairCounts.of(points, chosen=members)
        return np.concatenate(
            [apart.distances(some, every, metric).sum(1) for some in _chunks(every, len(members))]
        )
    ways: dict[str, Summed] = {
        "hamming": _hamming,
        "jaccard": _jaccard,
        "euclidean": _euclidean,
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

    from polylens.clustering.blocks import threads
    from polylens.kernels.exemplars import jaccard_sums

    words = tile_rows(np.concatenate([_pack(points, some) for some in _chunks(members, points.shape[1])]))
    ones = ones_of(words)
    summed = np.empty(len(members))
    pool = ThreadPoolExecutor(threads())
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


def _euclidean(points: Points, members: Int64[np.ndarray, "members"]) -> Float64[np.ndarray, "members"]:
    if len(members) <= _FEW:
        return _pairwise(points, members, members)
    # Products of matrices are a hundred times faster than pairs, and differ from them by rounding alone: what
    # they leave within rounding of the least is summed pair by pair, equal rows once.
    near = _from_products(points, members)
    first: dict[bytes, int] = {}
    equals = {
        place: first.setdefault(points[members[place]].tobytes(), place)
        for place in np.flatnonzero(near <= near.min() * (1 + _ROUNDING)).tolist()
    }
    distinct = np.array(list(first.values()))
    summed = np.full(len(members), np.inf)
    summed[distinct] = _pairwise(points, members[distinct], members)
    summed[list(equals)] = summed[list(equals.values())]
    return summed


def _pairwise(
    points: Points, some: Int64[np.ndarray, "some"], members: Int64[np.ndarray, "members"]
) -> Float64[np.ndarray, "some"]:
    """Summed Euclidean distances of some rows to all members, pair by pair."""
    from scipy.spatial.distance import cdist

    summed = np.zeros(len(some))
    for start in range(0, len(some), _SIDE):
        left = points[some[start : start + _SIDE]].astype(np.float64)
        for right in _chunks(members, max(points.shape[1], _SIDE)):
            summed[start : start + _SIDE] += cdist(left, points[right].astype(np.float64)).sum(1)
    return summed


def _from_products(points: Points, members: Int64[np.ndarray, "members"]) -> Float64[np.ndarray, "members"]:
    """Summed Euclidean distances, from |x - y|^2 = |x|^2 + |y|^2 - 2 xy; each pair of blocks once.

    Rows are taken from the one nearest to their mean, so that products are small and equal rows exactly so.
    """
    from polylens.kernels.exemplars import euclidean_sums

    middle = _nearest_to_mean(points, members).astype(np.float64)
    summed = np.zeros(len(members))
    unused = np.zeros(_SIDE)
    for first in range(0, len(members), _SIDE):
        left = points[members[first : first + _SIDE]] - middle
        left_squares = np.einsum("mw,mw->m", left, left)
        for second in range(first, len(members), _SIDE):
            right = points[members[second : second + _SIDE]] - middle
            right_squares = np.einsum("mw,mw->m", right, right)
            of_right = summed[second : second + _SIDE] if second > first else unused
            euclidean_sums(
                left @ right.T, left_squares, right_squares, summed[first : first + _SIDE], of_right
            )
    return summed


def _nearest_to_mean(points: Points, members: Int64[np.ndarray, "members"]) -> Float32[np.ndarray, "width"]:
    """The row that is nearest to the mean of all."""
    total = np.zeros(points.shape[1])
    for some in _chunks(members, points.shape[1]):
        total += points[some].sum(0, dtype=np.float64)
    mean = total / len(members)
    parts = []
    for some in _chunks(members, points.shape[1]):
        apart = points[some] - mean
        parts.append(np.einsum("mw,mw->m", apart, apart))
    middle: np.ndarray = points[members[np.concatenate(parts).argmin()]]
    return middle
