"""The mutual information that labellings share by chance, fast for many clusters."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64


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
    rows, columns = _sizes(counts.sum(1)), _sizes(counts.sum(0))
    factorial = gammaln(np.arange(1, total + 2, dtype=np.float64))
    return sum(
        int(times) * _of_one_size(int(size), columns, total=total, factorial=factorial)
        for size, times in zip(*rows, strict=True)
    )


def _sizes(
    margin: Int64[np.ndarray, "labels"],
) -> tuple[Int64[np.ndarray, "sizes"], Int64[np.ndarray, "sizes"]]:
    """The sizes that labels have, and how many labels have each."""
    sizes, times = np.unique(margin[margin > 0], return_counts=True)
    return sizes.astype(np.int64), times.astype(np.int64)


def _of_one_size(
    size: int,
    others: tuple[Int64[np.ndarray, "sizes"], Int64[np.ndarray, "sizes"]],
    *,
    total: int,
    factorial: Float64[np.ndarray, "upto"],
) -> float:
    """What one label of this size adds, summed over all labels on the other side."""
    least = np.maximum(size + others[0] - total, 1)
    possible = np.minimum(others[0], size) - least + 1
    # Every count that the two labels can share, for each size of the other: no more than there are rows.
    other, times = (np.repeat(values, possible) for values in others)
    shared = np.arange(len(other)) - np.repeat(np.cumsum(possible) - possible, possible)
    shared += np.repeat(least, possible)
    log_chance = (
        factorial[size]
        + factorial[other]
        + factorial[total - size]
        + factorial[total - other]
        - factorial[total]
        - factorial[shared]
        - factorial[size - shared]
        - factorial[other - shared]
        - factorial[total - size - other + shared]
    )
    information = shared / total * (np.log(shared / size) + np.log(total / other))
    return float((times * information * np.exp(log_chance)).sum())
