from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from polylens.statistics import bootstrap_number, partial_rank_correlation, rank_correlation


def test_ranks_with_ties_correlate_as_scipy_says() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 5, 60).astype(float), rng.normal(size=60)
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_a_constant_correlates_with_nothing() -> None:
    assert np.isnan(rank_correlation(np.ones(4), np.arange(4.0)))
    assert np.isnan(rank_correlation(np.zeros(0), np.zeros(0)))


def test_what_two_quantities_share_only_through_a_third_is_gone_beyond_it() -> None:
    rng = np.random.default_rng(1)
    cause = rng.normal(size=4000)
    one, other = cause + rng.normal(size=4000), cause + rng.normal(size=4000)
    assert rank_correlation(one, other) > 0.4
    assert partial_rank_correlation(one, other, beyond=cause) == pytest.approx(0, abs=0.06)
    assert np.isnan(partial_rank_correlation(one, other, beyond=one))
    # A constant explains nothing.
    same = partial_rank_correlation(one, other, beyond=np.zeros(4000))
    assert same == rank_correlation(one, other)


def test_a_number_has_the_range_of_its_resamples_and_chance_where_it_is_known() -> None:
    values = np.arange(100.0)
    number = bootstrap_number(values, np.median, resamples=50, generator=np.random.default_rng(0), chance=3.0)
    assert number.value == 49.5
    assert number.low < 49.5 < number.high
    assert number.interval == "5 to 95 % of 50 resamples of the examples, with replacement"
    assert number.chance == 3.0
    undefined = bootstrap_number(
        values, lambda _: float("nan"), resamples=20, generator=np.random.default_rng(0), chance=np.nan
    )
    assert np.isnan(undefined.value)
    assert (undefined.low, undefined.chance, undefined.chance_is) == (None, None, "")
