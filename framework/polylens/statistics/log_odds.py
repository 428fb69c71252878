"""Which words a group uses more than others do, allowing for how often it had the chance."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64


def log_odds(
    own: Int64[np.ndarray, "pairs"],
    own_total: Int64[np.ndarray, "pairs"],
    others: Int64[np.ndarray, "pairs"],
    others_total: Int64[np.ndarray, "pairs"],
    *,
    share: Float64[np.ndarray, "pairs"],
    prior: float,
) -> Float64[np.ndarray, "pairs"]:
    """Difference of the log-odds of a word in a group and in all the rest, in standard deviations.

    Args:
        own: how often the group uses the word.
        own_total: how many words the group uses.
        others: how often the rest uses the word.
        others_total: how many words the rest uses.
        share: the word's share of all words, in (0, 1]; the prior expects it of the group and of the rest.
        prior: how many words the prior is worth.

    Source: Monroe, Colaresi, Quinn (2008), Fightin' Words, equations 16, 20 and 22: informative Dirichlet
        prior.

    >>> one = np.array([1])
    >>> log_odds(9 * one, 10 * one, 1 * one, 90 * one, share=np.array([0.1]), prior=10.0).round(2)
    array([5.02])
    """
    expected = prior * share
    group, rest = own + expected, others + expected
    left, right = own_total + prior - group, others_total + prior - rest
    # Where every word is the same word, no group uses it more than another.
    defined = (left > 0) & (right > 0)
    odds = np.zeros(len(own))
    odds[defined] = np.log(group[defined] / left[defined]) - np.log(rest[defined] / right[defined])
    return np.asarray(odds / np.sqrt(1 / group + 1 / rest))


def log_likelihood_ratio(
    hits: Float64[np.ndarray, "groups"],
    size: Float64[np.ndarray, "groups"],
    base: Float64[np.ndarray, "groups"],
) -> Float64[np.ndarray, "groups"]:
    """How much better (in nats) a group's own share explains its hits than the base share does.

    It is 0 where the group's share is not above the base. Unlike a share in standard deviations it stays
    comparable where hits are rare.

    Source: Dunning (1993), Accurate methods for the statistics of surprise and coincidence, section 6.

    >>> log_likelihood_ratio(np.array([4.0]), np.array([4.0]), np.array([0.5])).round(2)
    array([2.77])
    """
    share = np.divide(hits, size, out=np.zeros(len(hits)), where=size > 0)
    above = (share > base) & (base > 0)
    p, q = share[above], base[above]
    missed = np.where(p < 1, (1 - p) * np.log(np.where(p < 1, (1 - p) / (1 - q), 1.0)), 0.0)
    ratio = np.zeros(len(hits))
    ratio[above] = size[above] * (p * np.log(p / q) + missed)
    return ratio


def least_share(
    size: Float64[np.ndarray, "groups"], base: Float64[np.ndarray, "groups"], *, ratio: float
) -> Float64[np.ndarray, "groups"]:
    """The share of hits from which on `log_likelihood_ratio` is above `ratio`; 1 where none is."""
    low, high = base.copy(), np.ones(len(base))
    for _ in range(50):
        middle = (low + high) / 2
        enough = log_likelihood_ratio(middle * size, size, base) > ratio
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high
