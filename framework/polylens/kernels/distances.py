"""Distances of single pairs, and lower bounds of the distances of many.

Activations are compared by products of blocks or in single precision, which is fast and inexact; what such a
bound cannot rule out is then measured exactly, in double precision and in one fixed order, so that a distance
does not depend on where a pair stands among the others.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled
from polylens.kernels.popcount import TILE

EXACT = 0
"""What a tile holds are the distances themselves."""
SQUARED = 1
"""Squared Euclidean distance."""
COSINE = 2
"""1 - cosine of the angle."""
ABSOLUTE = 3
"""L1 distance."""

KINDS = {"euclidean": SQUARED, "cosine": COSINE, "l1": ABSOLUTE}

_SUMS = 64
"""Sums that an exact distance is taken in side by side."""
_ROUNDING = 1e-24
"""A cosine distance below this is rounding in double precision: the directions are the same."""


@compiled
def measured(
    kind: int,
    left: np.ndarray,
    left_lengths: np.ndarray,
    i: int,
    right: np.ndarray,
    right_lengths: np.ndarray,
    j: int,
) -> float:
    """The distance of row `i` of `left` and row `j` of `right`, in double precision; symmetric to the last
    bit.

    `lengths` are the rows' Euclidean lengths, for COSINE: there a row of length 0 is at 0 from another such
    and at 1 from all others.
    """
    width = left.shape[1]
    own = left_lengths[i] if kind == COSINE else 1.0
    other = right_lengths[j] if kind == COSINE else 1.0
    if own == 0.0 or other == 0.0:
        return 0.0 if own == other else 1.0
    # Sums side by side, in an order that the source fixes and no compiler may change.
    sums = np.zeros(_SUMS)
    for start in range(0, width, _SUMS):
        a, b = left[i, start : start + _SUMS], right[j, start : start + _SUMS]
        if kind == ABSOLUTE:
            for place in range(len(a)):
                sums[place] += abs(np.float64(a[place]) - np.float64(b[place]))
        elif kind == SQUARED:
            for place in range(len(a)):
                apart = np.float64(a[place]) - np.float64(b[place])
                sums[place] += apart * apart
        else:
            for place in range(len(a)):
                apart = np.float64(a[place]) / own - np.float64(b[place]) / other
                sums[place] += apart * apart
    total = 0.0
    for place in range(_SUMS):
        total += sums[place]
    if kind == COSINE:
        return 0.0 if total < _ROUNDING else total / 2.0
    return total


@compiled
def measured_pairs(
    kind: int, rows: np.ndarray, lengths: np.ndarray, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """The distance of row `left[p]` and row `right[p]` for every p."""
    found = np.empty(len(left))
    for pair in range(len(left)):
        found[pair] = measured(kind, rows, lengths, left[pair], rows, lengths, right[pair])
    return found


@compiled
def bounds_from_products(products: np.ndarray, left: np.ndarray, right: np.ndarray, factor: float) -> None:
    """Turns a block of products into lower bounds `factor * (left + right - 2 product)`, in place.

    `left` and `right` are the rows' squared lengths, made smaller by what single precision can lose.
    """
    scale = np.float32(factor)
    for row in range(products.shape[0]):
        own = left[row]
        for column in range(products.shape[1]):
            products[row, column] = scale * (own + right[column] - np.float32(2) * products[row, column])


@compiled
def bounds_from_sums(
    left: np.ndarray, right: np.ndarray, turned: np.ndarray, factor: float, out: np.ndarray
) -> None:
    """Fills `out` with `factor` times the L1 distances of two blocks of rows, summed in single precision.

    `turned` (`width 64`) is room for 64 rows of `right` at a time, column by column, so that one value of a
    left row meets 64 right rows.
    """
    width = left.shape[1]
    scale = np.float32(factor)
    sums = np.empty(TILE, dtype=np.float32)
    for start in range(0, right.shape[0], TILE):
        count = min(TILE, right.shape[0] - start)
        for row in range(TILE):
            source = start + min(row, count - 1)
            for column in range(width):
                turned[column, row] = right[source, column]
        for row in range(left.shape[0]):
            sums[:] = 0
            whole = width - width % 4
            for column in range(0, whole, 4):
                a, b = left[row, column], left[row, column + 1]
                c, d = left[row, column + 2], left[row, column + 3]
                for place in range(TILE):
                    sums[place] += (
                        abs(a - turned[column, place])
                        + abs(b - turned[column + 1, place])
                        + abs(c - turned[column + 2, place])
                        + abs(d - turned[column + 3, place])
                    )
            for column in range(whole, width):
                for place in range(TILE):
                    sums[place] += abs(left[row, column] - turned[column, place])
            for place in range(count):
                out[row, start + place] = scale * sums[place]


@compiled
def jaccard_tile(
    left: np.ndarray, i: int, right: np.ndarray, j: int, differing: np.ndarray, out: np.ndarray
) -> None:
    """Fills `out` (64 by 64, float64) with Jaccard distances: differing bits over bits set in either row.

    `left` and `right` are the rows' set bits; rows `i` and `j` are the first of the two tiles. Two rows
    without a bit set are at 0. One correctly rounded quotient of integers: equal ratios are equal numbers.
    """
    for row in range(TILE):
        for column in range(TILE):
            apart = np.float64(differing[row, column])
            either = (np.float64(left[i + row] + right[j + column]) + apart) / 2.0
            out[row, column] = apart / either if either > 0.0 else 0.0
