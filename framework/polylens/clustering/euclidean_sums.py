"""The member of a cluster with the least summed Euclidean distance, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.rows_as_numbers import RowValues
from polylens.clustering.sum_bounds import summed_distance_bounds

_SIDE = 1024
"""Rows of a block of distances."""
_FEW = 32
"""Members whose distances are taken pair by pair."""
_FIRST = 64
"""Rows, those of the least bounds, whose sums say what others have to be below."""
_PAYS = 3
"""Members for each column and each of the rows that are looked at first, from which on bounds are made."""
_ROUNDING = 1e-6
"""Share of a summed distance, more than products of matrices lose in double precision."""


def least_euclidean_sums(rows: RowValues) -> Float64[np.ndarray, "rows"]:
    """Each row's summed Euclidean distance to all; infinite for rows that are certainly not the least."""
    if len(rows) <= _FEW:
        return _pairwise(rows, np.arange(len(rows), dtype=np.int64))
    # Products of matrices are a hundred times faster than pairs, and differ from them by rounding alone: what
    # they leave within rounding of the least is summed pair by pair, equal rows once.
    near = _from_products(rows)
    first: dict[bytes, int] = {}
    equals = {
        place: first.setdefault(rows.raw(slice(place, place + 1)).tobytes(), place)
        for place in np.flatnonzero(near <= near.min() * (1 + _ROUNDING)).tolist()
    }
    distinct = np.array(list(first.values()), dtype=np.int64)
    summed = np.full(len(rows), np.inf)
    summed[distinct] = _pairwise(rows, distinct)
    summed[list(equals)] = summed[list(equals.values())]
    return summed


def _pairwise(rows: RowValues, some: Int64[np.ndarray, "some"]) -> Float64[np.ndarray, "some"]:
    """Summed distances of some rows to all, pair by pair."""
    from scipy.spatial.distance import cdist

    summed = np.zeros(len(some))
    for start in range(0, len(some), _SIDE):
        left = rows.values(some[start : start + _SIDE]).astype(np.float64)
        for piece in rows.pieces(beside=_SIDE):
            right = rows.values(piece).astype(np.float64)
            summed[start : start + _SIDE] += cdist(left, right).sum(1)
    return summed


def _from_products(rows: RowValues) -> Float64[np.ndarray, "rows"]:
    """Summed distances from |x - y|^2 = |x|^2 + |y|^2 - 2 xy; infinite where a bound rules a row out.

    Rows are taken from the one nearest to their mean, so that products are small and equal rows exactly so.
    """
    middle = _nearest_to_mean(rows).astype(np.float64)
    if len(rows) < _PAYS * (rows.width + _FIRST):
        return _of_all(rows, middle)
    bounds = summed_distance_bounds(rows)
    order = np.argsort(bounds, kind="stable")
    summed = np.full(len(rows), np.inf)
    summed[order[:_FIRST]] = _of_some(rows, order[:_FIRST], middle)
    for start in range(_FIRST, len(rows), _SIDE):
        left = order[start:][bounds[order[start:]] <= summed.min() * (1 + _ROUNDING)]
        if 2 * len(left) > len(rows):
            return _of_all(rows, middle)  # each pair once
        if not len(left):
            break
        summed[left[:_SIDE]] = _of_some(rows, left[:_SIDE], middle)
    return summed


def _of_all(rows: RowValues, middle: Float64[np.ndarray, "width"]) -> Float64[np.ndarray, "rows"]:
    """The summed distances of all rows; each pair of blocks once."""
    from polylens.kernels.exemplars import euclidean_sums

    summed = np.zeros(len(rows))
    unused = np.zeros(_SIDE)
    for first in _blocks(rows):
        left, left_squares = _apart(rows, first, middle)
        for second in _blocks(rows, start=first.start):
            right, right_squares = _apart(rows, second, middle)
            of_right = summed[second] if second != first else unused
            euclidean_sums(left @ right.T, left_squares, right_squares, summed[first], of_right)
    return summed


def _of_some(
    rows: RowValues, some: Int64[np.ndarray, "some"], middle: Float64[np.ndarray, "width"]
) -> Float64[np.ndarray, "some"]:
    """The summed distances of some rows, of one block at most, to all."""
    from polylens.kernels.exemplars import euclidean_sums

    summed, unused = np.zeros(len(some)), np.zeros(_SIDE)
    left, left_squares = _apart(rows, some, middle)
    for block in _blocks(rows):
        right, right_squares = _apart(rows, block, middle)
        euclidean_sums(left @ right.T, left_squares, right_squares, summed, unused)
    return summed


def _blocks(rows: RowValues, *, start: int = 0) -> Iterator[slice]:
    return (slice(first, min(first + _SIDE, len(rows))) for first in range(start, len(rows), _SIDE))


def _apart(
    rows: RowValues, some: slice | Int64[np.ndarray, "some"], middle: Float64[np.ndarray, "width"]
) -> tuple[Float64[np.ndarray, "some width"], Float64[np.ndarray, "some"]]:
    """Rows as seen from the middle, and their squared lengths."""
    apart = rows.values(some) - middle
    return apart, np.einsum("rw,rw->r", apart, apart)


def _nearest_to_mean(rows: RowValues) -> Float32[np.ndarray, "width"]:
    """The row that is nearest to the mean of all."""
    mean = rows.mean()
    squares = np.concatenate([_apart(rows, some, mean)[1] for some in rows.pieces()])
    middle: np.ndarray = rows.values(np.array([squares.argmin()]))[0]
    return middle
