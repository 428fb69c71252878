"""Distances of single pairs, and lower bounds of the distances of many.

Activations are compared by products of blocks or in single precision, which is fast and inexact; what such a
bound cannot rule out is then measured exactly, in double precision and in one fixed order, so that a distance
does not depend on where a pair stands among the others.

1. `bounds_from_products` and `bounds_from_sums` turn a block of rows into lower bounds, in single precision.
2. A pass compares the bounds with what it still can use (`nearest`, `between`, `joining`).
3. `measure` takes what is left, in 64 sums side by side: vector code, yet one order of summation.
   `is_beyond` rules most of them out in single precision before.
4. Distances of bits need no bound: counts are integers, and `jaccard_tile` divides them once.

Invariant: a bound is never above the distance that `measure` gives.

Cost: a block of n by m rows of width w takes 2 n m w operations, at the speed of a product of matrices;
a measured pair takes 3 w. Memory: the block.

Source of the products' error: Jeannerod and Rump 2013, "Improved error bounds for inner products in
floating-point arithmetic"; the caller takes it off (`clustering.dense_space.lower_bounds`).
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_in_any_order
from polylens.kernels.popcount import TILE
from polylens.kernels.tiles import Measure

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
def measure(measuring: Measure, i: int, j: int) -> float:
    """The distance of row `i` of the left side and row `j` of the right one, in double precision.

    Symmetric to the last bit. For COSINE a row of length 0 is at 0 from another such, and at 1 from the
    others.
    """
    kind, left, right = measuring.kind, measuring.left, measuring.right
    width = left.shape[1]
    left_length = measuring.left_lengths[i] if kind == COSINE else 1.0
    right_length = measuring.right_lengths[j] if kind == COSINE else 1.0
    if left_length == 0.0 or right_length == 0.0:
        return 0.0 if left_length == right_length else 1.0
    # Sums side by side, in an order that the source fixes and no compiler may change.
    sums = np.zeros(_SUMS)
    for start in range(0, width, _SUMS):
        a, b = left[i, start : start + _SUMS], right[j, start : start + _SUMS]
        if kind == ABSOLUTE:
            for lane in range(len(a)):
                sums[lane] += abs(np.float64(a[lane]) - np.float64(b[lane]))
        elif kind == SQUARED:
            for lane in range(len(a)):
                apart = np.float64(a[lane]) - np.float64(b[lane])
                sums[lane] += apart * apart
        else:
            # Of unit vectors half the squared distance is 1 - cosine, and loses nothing where they are near.
            for lane in range(len(a)):
                apart = np.float64(a[lane]) / left_length - np.float64(b[lane]) / right_length
                sums[lane] += apart * apart
    # And these in the order of the lanes: sums of floating-point numbers depend on it.
    total = 0.0
    for lane in range(_SUMS):
        total += sums[lane]
    if kind == COSINE:
        return 0.0 if total < _ROUNDING else total / 2.0
    return total


@compiled_in_any_order
def is_beyond_by_all(left: np.ndarray, right: np.ndarray, i: int, j: int, square: float) -> bool:
    """Whether a squared distance is certainly no less than `square`, by a sum in single precision.

    Every difference, square and sum loses a share of itself alone, so that rows may lie far from the origin.
    """
    a, b = left[i], right[j]
    total = np.float32(0)
    for start in range(0, len(a) // _SUMS * _SUMS, _SUMS):
        x, y = a[start : start + _SUMS], b[start : start + _SUMS]
        squares = np.float32(0)
        for column in range(_SUMS):
            apart = x[column] - y[column]
            squares += apart * apart
        total += squares
    return bool(total >= np.float32(square * (1.0 + (len(a) + 32) * 2.0**-23) + 1e-37))


@compiled_in_any_order
def is_beyond_by_angle(
    left: np.ndarray, right: np.ndarray, i: int, j: int, lengths: tuple[float, float], limit: float
) -> bool:
    """Whether a cosine distance is certainly no less than `limit`, by a sum in single precision.

    A row over its length is off by no more than 2^-22 in all, for the quotient and its rounding; the limit's
    root, a Euclidean distance of such rows, is made larger by that. A row of length 0 has no angle.
    """
    if lengths[0] == 0.0 or lengths[1] == 0.0:
        return False
    a, b = left[i], right[j]
    a_scale, b_scale = np.float32(1.0 / lengths[0]), np.float32(1.0 / lengths[1])
    total = np.float32(0)
    for start in range(0, len(a) // _SUMS * _SUMS, _SUMS):
        x, y = a[start : start + _SUMS], b[start : start + _SUMS]
        squares = np.float32(0)
        for column in range(_SUMS):
            apart = x[column] * a_scale - y[column] * b_scale
            squares += apart * apart
        total += squares
    reach = np.sqrt(2.0 * limit) + 2.0**-20
    return bool(total >= np.float32(reach * reach * (1.0 + (len(a) + 32) * 2.0**-23)))


@compiled
def is_beyond(measuring: Measure, i: int, j: int, limit: float) -> bool:
    """Whether the distance of row `i` and row `j` is certainly no less than `limit`, found in half the time
    that it takes to measure it.
    """
    left, right = measuring.left, measuring.right
    if measuring.kind == SQUARED:
        return is_beyond_by_all(left, right, i, j, limit)
    lengths = (measuring.left_lengths[i], measuring.right_lengths[j])
    return measuring.kind == COSINE and is_beyond_by_angle(left, right, i, j, lengths, limit)


@compiled
def measure_pairs(measuring: Measure, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The distance of row `left[p]` of the left side and row `right[p]` of the right one, for every p."""
    distances = np.empty(len(left))
    for pair in range(len(left)):
        distances[pair] = measure(measuring, left[pair], right[pair])
    return distances


@compiled
def bounds_from_products(products: np.ndarray, left: np.ndarray, right: np.ndarray, factor: float) -> None:
    """Turns a block of products into lower bounds `factor * (left + right - 2 product)`, in place.

    `left` and `right` are the rows' squared lengths, made smaller by what single precision can lose.
    """
    scale = np.float32(factor)  # single precision throughout: a double among them would widen all of it
    for row in range(products.shape[0]):
        left_square = left[row]
        for column in range(products.shape[1]):
            bound = left_square + right[column] - np.float32(2) * products[row, column]
            products[row, column] = scale * bound


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
        # Short of 64 rows the last is repeated: loops of a fixed length become vector code.
        for row in range(TILE):
            source = start + min(row, count - 1)
            for column in range(width):
                turned[column, row] = right[source, column]
        for row in range(left.shape[0]):
            sums[:] = 0
            # Four columns at a time, so that each sum is read and written once for four terms.
            whole = width - width % 4
            for column in range(0, whole, 4):
                a, b = left[row, column], left[row, column + 1]
                c, d = left[row, column + 2], left[row, column + 3]
                for lane in range(TILE):
                    sums[lane] += (
                        abs(a - turned[column, lane])
                        + abs(b - turned[column + 1, lane])
                        + abs(c - turned[column + 2, lane])
                        + abs(d - turned[column + 3, lane])
                    )
            for column in range(whole, width):
                for lane in range(TILE):
                    sums[lane] += abs(left[row, column] - turned[column, lane])
            # What was repeated to fill the tile is not written.
            for lane in range(count):
                out[row, start + lane] = scale * sums[lane]


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
