"""How far two raters agree beyond chance."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from polylens.records import Number
from polylens.statistics.resampling import Interval

_RESAMPLES = 2000
_MEANING = "5 to 95 % of {count} resamples of the clusters, with replacement"
_CHANCE_IS = "raters who give each verdict as often, and to any item"


def cohen_kappa(ratings: Int64[np.ndarray, "items 2"]) -> float:
    """Cohen's kappa of two raters: the agreement beyond chance over what there can be; at most 1.

    NaN where both give all items one and the same rating: then they agree, and would by chance.

    Args:
        ratings: what each rater says of each item, from 0.

    Source: Cohen (1960), unweighted, as scikit-learn's `cohen_kappa_score` has it.

    >>> cohen_kappa(np.array([[0, 0], [1, 1], [0, 1], [1, 1]]))
    0.5
    """
    if not len(ratings):
        return float("nan")
    width = int(ratings.max()) + 1
    table = np.zeros((width, width))
    np.add.at(table, (ratings[:, 0], ratings[:, 1]), 1)
    observed = float(np.trace(table)) / len(ratings)
    expected = float(table.sum(1) @ table.sum(0)) / len(ratings) ** 2
    # Both are ratios of whole numbers: where all is one rating the second is 1 exactly.
    return float("nan") if expected == 1 else (observed - expected) / (1 - expected)


def kappa_number(ratings: Int64[np.ndarray, "items 2"], *, generator: np.random.Generator) -> Number | str:
    """Cohen's kappa with its interval over resamples of the items, or why there is none.

    Where no resample differs from another, as of two who agree on every item, the number has no interval.

    Args:
        ratings: what each rater says of each item, from 0.
        generator: draws items again.
    """
    count = len(ratings)
    if count < 2:
        return f"both judged {count or 'none'} of the clusters; it takes two"
    if len(np.unique(ratings)) == 1:
        return f"both say the same of all {count} clusters, as two who know nothing would"
    resamples = generator.integers(count, size=(_RESAMPLES, count))
    interval = Interval.of((cohen_kappa(ratings[each]) for each in resamples), meaning=_MEANING)
    if interval.low == interval.high:
        interval = Interval.none()
    return Number(
        cohen_kappa(ratings),
        interval.low,
        interval.high,
        interval.meaning,
        chance=0.0,
        chance_is=_CHANCE_IS,
    )
