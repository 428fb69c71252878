"""Calibration: how often 90 % intervals of shares hold the share that rows were drawn with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from polylens.statistics import Shares, difference_limits, ratio_limits


def held(share: float, *, examples: int, most: int, dependence: float, seed: int, rounds: int = 600) -> float:
    """How often limits hold a share, where an example's rows are drawn with a share of the example's own."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most + 1, (rounds, examples))
    spread = (1 - dependence) / dependence if dependence else np.inf
    own = np.full(sizes.shape, share)
    if dependence == 1:
        own = (rng.random(sizes.shape) < share).astype(float)
    elif dependence:
        own = rng.beta(share * spread, (1 - share) * spread, sizes.shape)
    flat = sizes.ravel()
    place = np.repeat(np.repeat(np.arange(rounds), examples), flat)
    example = np.repeat(np.tile(np.arange(examples), rounds), flat)
    hits = rng.random(len(place)) < np.repeat(own.ravel(), flat)
    low, high = Shares.of(hits, example=example, group=place, count=rounds).limits()
    assert (high > low).all()
    return float(((low <= share) & (share <= high)).mean())


@pytest.mark.parametrize("rows", [1, 3, 12, 40, 300])
def test_of_independent_rows_every_share_is_held_nine_times_in_ten(rows):
    # Exactly, by adding up the chance of every number of hits: nothing is drawn.
    numbers = np.arange(rows + 1)
    hits = np.concatenate([np.arange(rows) < count for count in numbers])
    place, example = np.repeat(numbers, rows), np.tile(np.arange(rows), rows + 1)
    shares = Shares.of(hits, example=example, group=place, count=rows + 1)
    low, high = shares.limits()
    assert shares.effective_rows == pytest.approx(rows)
    for share in (0.001, 0.05, 0.3, 0.5, 0.9, 0.95, 0.99, 0.999):
        chance = binom.pmf(numbers, rows, share)
        assert chance[(low <= share) & (share <= high)].sum() >= 0.9


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("dependence", [0.0, 0.3, 0.7, 1.0])
def test_of_rows_that_go_together_within_examples_shares_are_held_nearly_as_often(share, dependence):
    for examples, most in ((4, 5), (15, 8), (60, 20)):
        assert held(share, examples=examples, most=most, dependence=dependence, seed=examples) >= 0.87


def test_a_share_without_a_miss_has_a_width_by_its_examples_and_not_by_its_rows():
    alike = Shares.of(np.ones(100, dtype=bool), example=np.repeat(np.arange(5), 20))
    apart = Shares.of(np.ones(100, dtype=bool), example=np.arange(100))
    assert alike.effective_rows.tolist() == pytest.approx([5.0])
    assert alike.limits()[0] == pytest.approx(0.05 ** (1 / 5))
    assert apart.limits()[0] == pytest.approx(0.05 ** (1 / 100))
    (interval,) = alike.intervals()
    assert interval.meaning == "90 % Clopper-Pearson interval, rows worth 5 independent ones"


def test_a_share_of_no_rows_has_no_interval():
    nothing = Shares.of(np.zeros(0, dtype=bool), example=np.zeros(0, np.int64), count=2)
    assert np.isnan(nothing.values).all()
    assert [interval.low for interval in nothing.intervals()] == [None, None]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 40))
def test_limits_hold_the_share_itself_and_are_of_the_rows_and_not_of_their_order(seed, examples, rows):
    rng = np.random.default_rng(seed)
    hits, example = rng.random(rows) < rng.random(), rng.integers(0, examples, rows)
    one = Shares.of(hits, example=example)
    low, high = (float(limit[0]) for limit in one.limits())
    assert 0 <= low <= hits.mean() <= high <= 1
    assert high - low > 0
    order = rng.permutation(rows)
    again = Shares.of(hits[order], example=rng.permutation(examples)[example][order]).limits()
    assert [float(limit[0]) for limit in again] == pytest.approx([low, high])
    mirrored = Shares.of(~hits, example=example).limits()
    assert [1 - float(limit[0]) for limit in mirrored] == pytest.approx([high, low])
    # Hits among all rows are the same share, however it is put.
    among = Shares.among(
        np.zeros(hits.sum(), np.int64),
        example[hits],
        rows=np.bincount(example, minlength=examples).astype(np.int64),
        count=1,
    )
    assert [float(limit[0]) for limit in among.limits()] == pytest.approx([low, high])


def test_weights_that_are_all_the_same_change_nothing():
    hits, example = np.array([True, True, False, True, False, True]), np.array([0, 0, 1, 1, 2, 2])
    plain = np.array(Shares.of(hits, example=example).limits())
    weighted = np.array(Shares.of(hits, example=example, weights=np.full(6, 7.0)).limits())
    assert weighted == pytest.approx(plain)


def test_the_lead_of_one_perfect_share_over_another_has_a_width():
    low, high = difference_limits((1.0, 0.8, 1.0), (1.0, 0.8, 1.0), correlation=0.0)
    assert (low, high) == pytest.approx((-0.2, 0.2))


def test_limits_of_differences_and_ratios_hold_nine_times_in_ten():
    rng = np.random.default_rng(0)
    for first, second in ((0.99, 0.99), (0.95, 0.8), (0.6, 0.5)):
        rounds, rows = 200, 40
        drawn = [rng.random((rounds, rows)) < share for share in (first, second)]
        place, example = np.repeat(np.arange(rounds), rows), np.tile(np.arange(rows), rounds)
        found = [Shares.of(hits.ravel(), example=example, group=place, count=rounds) for hits in drawn]
        sides = [(each.values, *each.limits()) for each in found]
        leads = [
            difference_limits(*(tuple(part[k] for part in side) for side in sides), correlation=0.0)
            for k in range(rounds)
        ]
        assert np.mean([low <= first - second <= high for low, high in leads]) >= 0.88
        low, high = ratio_limits(*sides)
        assert ((low <= first / second) & (first / second <= high)).mean() >= 0.88
