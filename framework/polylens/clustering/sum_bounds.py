"""Lower bounds of how far each row lies from all the others, without looking at pairs.

With rows taken from their mean, let r be the length of a row y, s that of x, and a the part of x along y.
Then |x - y| is the root of r^2 + s^2 - 2 r a, and with R^2 = r^2 + s^2, as a lies between -s and s,

    |x - y| >= R - (r / R) a - (C / r) a^2

for C = 0.72: the left side falls ever faster with a, so that the least factor of a^2 that will do is the one
of a = s, which times r is never above 0.713 for any s. Summed over all y the three terms are a function of s
alone, a product of x with a vector that depends on s alone, and a quadratic form of x. So all bounds take
time that grows with the rows and not with their pairs.

In tens of dimensions and more, rows have little in common with most others: a^2 is small, the bound close.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.rows_as_numbers import RowValues

_SQUARE = 0.72
"""C above."""
_CLOSE = 0.1
"""Share of the mean length below which a row's distances are bounded by the difference of lengths alone."""
_BINS = 64
"""Lengths that vectors are summed for; a row takes that of the next length below its own."""
_ROUNDING = 1e-9
"""Share of the terms, more than sums in double precision lose."""


def summed_distance_bounds(rows: RowValues) -> Float64[np.ndarray, "rows"]:
    """No more than each row's summed Euclidean distance to all rows.

    Time: rows times the square of their width. Memory: 8 bytes times that square, and 64 rows in double
    precision.

    >>> line = np.array([[0, 0], [4, 0], [0, 3]], dtype=np.float32)  # 3 + 4, 4 + 5 and 3 + 5
    >>> bool((summed_distance_bounds(RowValues.of(line)) <= [7, 9, 8]).all())
    True
    """
    origin = rows.mean()
    lengths = np.concatenate([np.sqrt(_squares(rows.values(some) - origin)) for some in rows.pieces()])
    far = lengths > _CLOSE * lengths.mean()
    sums = _Sums.of(lengths, far)
    form = np.zeros((rows.width, rows.width))
    vectors = np.zeros((len(sums.lengths), rows.width))
    for some in rows.pieces():
        apart, length = (rows.values(some) - origin)[far[some]], lengths[some][far[some]]
        vectors += (1 / np.hypot(length, sums.lengths[:, None])) @ apart
        scaled = apart * np.sqrt(_SQUARE / length**3)[:, None]
        form += scaled.T @ scaled
    bounds = np.empty(len(rows))
    for some in rows.pieces():
        apart, number = rows.values(some) - origin, sums.numbers[some]
        squares = np.maximum(np.einsum("rw,rw->r", apart @ form, apart), 0)
        along = np.einsum("rw,rw->r", apart, vectors[number])
        level = sums.values[number] + sums.slopes[number] * (lengths[some] - sums.lengths[number])
        lost = sums.errors[number] * np.sqrt(squares)
        bounds[some] = (
            level * (1 - _ROUNDING) - along - squares - lost - _ROUNDING * (np.abs(along) + squares)
        )
    return bounds


def _squares(apart: Float64[np.ndarray, "some width"]) -> Float64[np.ndarray, "some"]:
    return np.asarray(np.einsum("rw,rw->r", apart, apart))


@dataclass(frozen=True)
class _Sums:
    """What depends on lengths alone, for some lengths."""

    lengths: Float64[np.ndarray, "bins"]
    numbers: Int64[np.ndarray, "rows"]
    """Which of them each row takes: none is longer than the row."""
    values: Float64[np.ndarray, "bins"]
    """The sum of R, or of the differences of lengths for rows close to the mean. It is convex in the length,
    so that its tangents lie below it."""
    slopes: Float64[np.ndarray, "bins"]
    errors: Float64[np.ndarray, "bins"]
    """What the vector of the bin's least length may be off by for its greatest, over the root of the
    quadratic form (Cauchy and Schwarz)."""

    @classmethod
    def of(cls, lengths: Float64[np.ndarray, "rows"], far: np.ndarray) -> _Sums:
        """Those of lengths, of which some are far from 0."""
        order = np.argsort(lengths, kind="stable")
        bins = np.array_split(order, min(_BINS, len(order)))
        least = np.array([lengths[part[0]] for part in bins])
        most = np.array([lengths[part[-1]] for part in bins])
        numbers = np.empty(len(lengths), dtype=np.int64)
        for number, part in enumerate(bins):
            numbers[part] = number
        of_far, of_close = lengths[far], lengths[~far]
        values, slopes, errors = np.empty(len(bins)), np.empty(len(bins)), np.empty(len(bins))
        for number, (low, high) in enumerate(zip(least, most, strict=True)):
            roots, last = np.hypot(of_far, low), np.hypot(of_far, high)
            values[number] = roots.sum() + np.abs(low - of_close).sum()
            slopes[number] = (low / roots).sum() + np.sign(low - of_close).sum()
            errors[number] = np.sqrt((((1 / roots - 1 / last) ** 2) * of_far**3).sum() / _SQUARE)
        return cls(least, numbers, values, slopes, errors)
