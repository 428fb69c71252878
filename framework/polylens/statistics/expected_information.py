"""The mutual information that labellings share by chance, fast for many clusters."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

_AT_ONCE = 1 << 16
"""Possible counts that are looked at together, about."""


def expected_mutual_information(counts: Int64[np.ndarray, "a b"]) -> float:
    """Mutual information, in nats, that random labellings with these margins have on average.

    It depends on sizes only, so labels of equal size are taken together: a thousand clusters have a few dozen
    sizes.

    Source: Vinh, Epps, Bailey (2010), theorem 1: hypergeometric counts.

    >>> round(expected_mutual_information(np.array([[1, 0], [0, 1]])), 6)
    0.693147
    """
    from scipy.special import gammaln

    total = int(counts.sum())
    (rows, row_times), (columns, column_times) = _sizes(counts.sum(1)), _sizes(counts.sum(0))
    factorial = gammaln(np.arange(1, total + 2, dtype=np.float64))
    own, other = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    times = np.outer(row_times, column_times).ravel()
    least = np.maximum(own + other - total, 1)
    possible = np.minimum(own, other) - least + 1
    # Every count that two labels can share, for every two sizes: some pairs of sizes at once, to hold little.
    ends = np.searchsorted(np.cumsum(possible), np.arange(_AT_ONCE, possible.sum(), _AT_ONCE)) + 1
    pieces = np.split(np.arange(len(own)), np.unique(ends))
    return sum(
        _of_sizes(own[p], other[p], times[p], least[p], possible[p], total=total, factorial=factorial)
        for p in pieces
    )


def _sizes(
    margin: Int64[np.ndarray, "labels"],
) -> tuple[Int64[np.ndarray, "sizes"], Int64[np.ndarray, "sizes"]]:
    """The sizes that labels have, and how many labels have each."""
    sizes, times = np.unique(margin[margin > 0], return_counts=True)
    return sizes.astype(np.int64), times.astype(np.int64)


def _of_sizes(
    own: Int64[np.ndarray, "pairs"],
    other: Int64[np.ndarray, "pairs"],
    times: Int64[np.ndarray, "pairs"],
    least: Int64[np.ndarray, "pairs"],
    possible: Int64[np.ndarray, "pairs"],
    *,
    total: int,
    factorial: Float64[np.ndarray, "upto"],
) -> float:
    """What pairs of labels of these sizes add, each pair of sizes so many times.

    Args:
        own, other: sizes of two labels.
        times: how many pairs of labels have these sizes.
        least, possible: the fewest rows that two such labels can share, and how many counts are possible.
        total: all rows.
        factorial: logarithms of factorials.
    """
    # What does not depend on the shared count is looked up once for each two sizes.
    fixed = factorial[own] + factorial[other] + factorial[total - own] + factorial[total - other]
    apart, weight = np.log(total / other), times / total
    first = np.cumsum(possible) - possible
    pair = np.repeat(np.arange(len(own)), possible)
    shared = np.arange(len(pair)) + (least - first)[pair]
    log_chance = (
        (fixed - factorial[total])[pair]
        - factorial[shared]
        - factorial[own[pair] - shared]
        - factorial[other[pair] - shared]
        - factorial[(total - own - other)[pair] + shared]
    )
    information = weight[pair] * shared * (np.log(shared / own[pair]) + apart[pair])
    return float((information * np.exp(log_chance)).sum())
