"""Rank correlations, plain and beyond a third quantity."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64


def rank_correlation(one: Float64[np.ndarray, "n"], other: Float64[np.ndarray, "n"]) -> float:
    """Spearman's correlation, equal values sharing their mean rank; NaN where one side is constant.

    >>> rank_correlation(np.array([1.0, 2.0, 5.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    return _correlation(_ranks(one), _ranks(other))


def partial_rank_correlation(
    one: Float64[np.ndarray, "n"], other: Float64[np.ndarray, "n"], *, beyond: Float64[np.ndarray, "n"]
) -> float:
    """The rank correlation of what is left of two quantities when a third has explained what it can.

    NaN where it explains one of them wholly, or one side is constant.

    Source: Kendall 1942, "Partial rank correlation", with Spearman's coefficient in place of tau.

    >>> x = np.arange(6.0)
    >>> round(partial_rank_correlation(x, -x, beyond=np.array([1.0, 0.0, 0.0, 0.0, 0.0, 1.0])), 6)
    -1.0
    """
    ranks = [_ranks(values) for values in (one, other, beyond)]
    direct = _correlation(ranks[0], ranks[1])
    left, right = (_correlation(rank, ranks[2]) for rank in ranks[:2])
    if not np.isfinite(left) or not np.isfinite(right):
        return direct  # a constant explains nothing
    rest = (1 - left**2) * (1 - right**2)
    return float((direct - left * right) / np.sqrt(rest)) if rest > 1e-12 else float("nan")


def _ranks(values: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=np.float64)


def _correlation(one: Float64[np.ndarray, "n"], other: Float64[np.ndarray, "n"]) -> float:
    if not len(one):
        return float("nan")
    first, second = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second / scale) if scale > 0 else float("nan")
